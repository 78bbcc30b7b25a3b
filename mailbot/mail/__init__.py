"""What a mail is and says, computed from its bytes alone: no I/O, clock, log, database or randomness.

Way in: `analysis.analyse`. `mime` parses a mail, `classify` decides what kind of sender wrote it, `reply` separates
new words from quotations, `intent` decides what a short reply means, `attachments` which files are withheld, `compose`
writes outgoing mail. `message` has the values that they exchange.
"""
