"""What a host is made of: its life, its plugins, and what can be asked of it."""
