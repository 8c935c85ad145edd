"""tiepoint for recommendation; this release brings no feature yet."""
