"""Pages that commands write: one file each, without scripts, that needs no network."""
