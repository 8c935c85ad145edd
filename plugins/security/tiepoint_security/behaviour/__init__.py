"""Behaviour: what people do, from how they move."""
