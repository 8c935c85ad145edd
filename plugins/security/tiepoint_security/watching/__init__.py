"""Watching: frames of all cameras through understanding and rules to the desk of alerts."""
