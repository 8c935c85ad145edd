"""Sequences of pictures (video clips, slices of a volume): reading, cutting, and pooling them."""
