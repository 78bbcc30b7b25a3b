"""The command line: each command parses its arguments, makes one call to the service or one query, and prints.

Exit: 0 done; 1 it could not be done, and why; 2 wrong usage or configuration; 130 interrupted. What was asked for goes
to stdout, everything else to stderr. Heavy imports stand in the functions that need them: help is there at once.
"""
