"""Encoders: parts in, unit vectors out."""
