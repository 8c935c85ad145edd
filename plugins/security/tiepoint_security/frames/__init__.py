"""Frames: where they come from, which of them move, and how."""
