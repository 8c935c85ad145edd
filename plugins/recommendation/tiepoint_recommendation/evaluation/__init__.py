"""Measuring: protocols, figures with intervals, peers on the same split, reports."""
