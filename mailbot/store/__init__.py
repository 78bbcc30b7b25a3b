"""The database of a desk: SQLite by default, PostgreSQL by URL; the same tables and the same tests on both.

Way in: `engine.Store` opens it and gives transactions. `unit_of_work` writes and `queries/` reads; `search/` finds
tickets by words, `privacy/` exports and erases a person, `cluster/` coordinates several workers.
"""
