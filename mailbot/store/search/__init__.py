"""Search for tickets by words. Way in: `index.find`; SQLite's full-text queries are in `sqlite`."""
