"""Events of an existing Frigate installation as the source of alerts."""
