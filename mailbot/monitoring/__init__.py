"""Watching over the desk itself, since silence is an outage.

    pulse     how a connection fares, noted by the loop that uses it
    probes    what can only be found by looking: room on the disk, the database, the queues
    canary    a signed mail through SMTP and IMAP, whose way round is measured
    memory    which condition lasts since when, and who was told (pure)
    record    health.json in data_dir: what `mailbot check` reads, and what a restart must know
    alert     the mail and the environment that tell of it; routes: the ways by which it leaves
    watching  the threads that bring these together; none of them is needed by the loops

The judgement itself is `mailbot.monitoring.conditions`.
"""
