"""An archive run through the real desk, at the times when its mails came, sending nothing: `mailbot replay`.

    letters    what lies in the archive: when each mail came, who wrote it, which address is the desk's
    engine     a throw-away desk whose clock jumps from mail to mail; between them its timers fire
    answers    mail that the desk or its agents had sent, which is part of the story too
    findings   what would have happened, as one document
    page       the same as a page for a browser, with charts

Nothing is told apart here that the desk doesn't tell apart: the path of a mail is that of `mailbot run`.
"""
