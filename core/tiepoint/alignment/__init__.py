"""Aligners: several modalities, one joint space."""
