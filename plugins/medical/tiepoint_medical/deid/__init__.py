"""De-identification by PS3.15 Annex E: the header by its table, the pixels by what can be read."""
