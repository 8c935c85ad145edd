"""Where events and the catalogue are kept: SQLite, or PostgreSQL by URL."""
