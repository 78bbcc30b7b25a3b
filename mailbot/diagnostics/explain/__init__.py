"""Why a mail was handled as it was: `mailbot explain`. It looks, and writes nothing.

    understood   what a mail says by itself: facts, defects, every rule, the cut, intent, commands. Pure, needs no desk
    evidence     what in it points to a ticket, and what the desk says to each: proven, known, or not
    known        a desk, opened for reading only
    document     all of it as one document: what `--json` prints, and what the screen shows

The rules are the same functions that handle mail; none is repeated here.
"""
