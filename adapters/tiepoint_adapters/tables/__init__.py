"""Items from tables: CSV, JSON lines and Parquet."""
