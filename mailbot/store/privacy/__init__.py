"""A person's data: export (`export`), erasure (`erasure`), and the retention of raw mail (`retention`).

`traces` finds the rows that concern a person, `redact` masks mentions of them in other people's mail.
"""
