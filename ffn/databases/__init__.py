"""SQLite, DuckDB and PostgreSQL: addresses without passwords, reading and writing of tables."""
