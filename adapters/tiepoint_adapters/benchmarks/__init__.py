"""Benchmarks against peers, in the same run (entry points: `tiepoint.benchmarks`)."""
