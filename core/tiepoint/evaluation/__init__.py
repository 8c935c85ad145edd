"""Evaluation: how good a joint space, an index or a calibration is, and how sure that is."""
