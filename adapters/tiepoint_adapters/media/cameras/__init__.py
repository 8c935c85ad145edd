"""Cameras: moving pictures as they happen, from streams, files, folders and webcams."""
