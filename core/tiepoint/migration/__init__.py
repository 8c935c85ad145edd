"""Bringing a store to other encoders or another aligner, while the old ones serve."""
