"""Vehicles in footage by a description: an example of a plugin by a third party."""
