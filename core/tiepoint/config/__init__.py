"""The deployment file: its models, and how it is read."""
