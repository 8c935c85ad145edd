"""tiepoint for surveillance; this release brings no feature yet."""
