"""Why a mail was handled as it was: `mailbot explain`. Reads, and writes nothing.

    mail_facts       what a mail says by itself: facts, defects, every rule, the cut, intent, commands; needs no desk
    evidence         what in it points to a ticket, and the desk's judgement of each: authenticated, known, or not
    read_only_desk   a desk, opened for reading only
    document         all of it as one document: what `--json` prints, and what the screen shows

The rules are the same functions that handle mail; none is repeated here.
"""
