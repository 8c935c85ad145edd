"""Benchmarks: watching against encoding every frame, and how many cameras a machine takes."""
