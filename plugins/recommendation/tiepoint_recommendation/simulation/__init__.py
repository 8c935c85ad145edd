"""Shoppers with hidden tastes over a small catalogue of pictures and titles, all made by code."""
