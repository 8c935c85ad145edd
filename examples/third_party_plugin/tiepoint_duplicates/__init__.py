"""Finds pictures that a collection already has: an example of a plugin by a third party."""
