"""Search sessions: each turn narrows or shifts what the last one asked."""
