"""Pictures and sound from where they lie."""
