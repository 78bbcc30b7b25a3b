"""An archive run through the real desk, at the times when its mails came, sending nothing: `mailbot replay`.

    archive              what is in the archive: when each mail came, who wrote it, which address is the desk's
    engine               a temporary desk whose clock jumps from mail to mail; in between, its timers fire
    recorded_answers     mail that the desk or its agents had sent, which is part of the archive too
    simulated_delivery   marks outgoing mail as accepted by a server
    findings             what would have happened, as one document
    page                 the same as a page for a browser, with `charts`

Mail is processed by the same functions as in `mailbot run`.
"""
