"""The record in a database: SQLite, PostgreSQL or MariaDB."""
