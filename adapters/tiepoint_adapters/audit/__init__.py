"""Audit logs: who did what, each line chained to the one before by its hash."""
