"""Sinks: where messages go, each an entry point in `tiepoint.sinks`."""
