"""Tell why a mail was handled as it was (`explain`), and what would happen to an archive (`replay`).

Both run the functions that handle mail, and write nothing into the real desk. The ways in are `explain.document` and
`replay.engine`.
"""
