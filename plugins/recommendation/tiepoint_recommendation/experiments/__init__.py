"""Experiments: users are split over arms, and each arm's clicks are counted."""
