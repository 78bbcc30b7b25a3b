"""LMTP (RFC 2033): Postfix or Dovecot deliver mail directly to the desk, without a mailbox in between.

    server    listens on loopback TCP or a unix socket; an event loop in a thread. Way in: `server.LmtpServer`
    session   one connection: accepted recipients and sizes, and a reply for each recipient
    queue     stores (the 250 waits for that commit), then handles, on two threads

Disabled unless [lmtp] listen is set. Never: a relay; a 250 for a mail that is not on the disk yet.
"""
