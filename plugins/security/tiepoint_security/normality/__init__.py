"""Normality: what moves how, where, on a camera's ordinary footage, and what does not."""
