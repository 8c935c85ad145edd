"""Storyboards: long footage as a page of its parts, with times and the sentences that fit them."""
