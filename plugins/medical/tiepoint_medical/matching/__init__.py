"""Matching of images, reports and findings."""
