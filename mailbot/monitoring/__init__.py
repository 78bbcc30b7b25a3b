"""Is the desk healthy? Conditions, alerts and metrics, since a desk that fails silently looks like one without mail.

Way in: `watcher.Watcher`, whose threads bring the parts together; the loops never depend on any of them.

    conditions      the judgement: facts in, conditions out (pure)
    probes          what has to be measured: disk space, the database, the queues
    canary          a signed mail through SMTP and back by IMAP, whose round trip is timed
    alert_history   which condition holds since when, and who was notified (pure)
    alert           an alert in words; alert_channels: how it is sent
    health_file     health.json in data_dir, for `mailbot check` and for a restart
    metrics         Prometheus metrics and /health
"""
