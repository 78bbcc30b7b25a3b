"""Where the desk's memory is kept: SQLite by default, PostgreSQL by URL; the same tables and the same tests on both."""
