"""Everything around the core: media, tables, benchmarks, the demo."""
