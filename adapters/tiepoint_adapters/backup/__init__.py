"""Backups of a deployment: made while it is served, verified, and restored."""
