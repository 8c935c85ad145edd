"""Answers that follow the last click: profiles, sessions, filters, choices, refits."""
