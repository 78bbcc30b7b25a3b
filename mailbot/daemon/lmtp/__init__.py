"""LMTP in (RFC 2033): Postfix or Dovecot hand mail straight to the desk, without a mailbox and a wait in between.

    server      listens on loopback TCP or a unix socket; a thread of its own with an event loop
    session     one connection: who may be written to, how large, and an answer for each recipient
    taking_in   stores (the 250 waits for that commit), then handles, on two threads

Off unless [lmtp] listen says where. Never: a relay; a 250 for a mail that is not on the disk yet.
"""
