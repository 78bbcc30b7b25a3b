"""The command line: each command parses its arguments, makes one call to the desk or one query, and prints.

`app` is the way in. Exit: 0 done; 1 it could not be done, and why; 2 wrong usage or configuration; 130 interrupted. The
result goes to stdout, everything else to stderr. Heavy imports are inside the functions that need them, so that help
appears at once.
"""
