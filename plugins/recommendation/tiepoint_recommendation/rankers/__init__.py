"""Rankers: each says, from a history, how much every item is wanted next."""
