"""`mailbot run`: the process that reads the inboxes, sends the outbox and fires timers. Way in: `app.run`.

app             threads, signals, reload; once: one pass and exit (`mailbot run --once`)
inbox_loop      connects, reads, waits; inbox_reader: one pass over one folder; inboxes: all loops of a desk
outbox_loop     sends what is due
scheduler       what the clock triggers: timers, housekeeping
lmtp/           mail handed over by Postfix or Dovecot, without a mailbox in between
cluster/        several workers that share one desk (PostgreSQL)
loop_guard      the error handling of all loops
"""
