"""Tables in SQLite or PostgreSQL: opened, brought up to date, written in whole transactions."""
