"""Fusion: several routes, one ranking that explains itself."""
