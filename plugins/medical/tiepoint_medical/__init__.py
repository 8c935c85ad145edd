"""tiepoint for radiology; this release brings no feature yet."""
