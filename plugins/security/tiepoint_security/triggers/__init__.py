"""Triggers: each says of a subject how far what it looks for is the case."""
