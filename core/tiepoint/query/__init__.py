"""Queries: what is asked of a collection's routes, and how proposals become a ranking."""
