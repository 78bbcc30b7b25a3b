"""`mailbot demo`: the whole service on this machine, with no account anywhere.

An IMAP and an SMTP server in this process, the real daemon between them, two schools and two agents with a mail page in
the browser, a clock that obeys, and a guided tour of a ticket's life. Everything is bound to 127.0.0.1, lies in a
temporary folder, and is gone when it ends.
"""
