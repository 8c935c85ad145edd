"""Encoders for radiographs and reports, beside those of the core."""
