"""Footage that can be searched: segments of what cameras saw, kept for a while and indexed."""
