"""Engines: where bulk encoding runs when one process is not enough."""
