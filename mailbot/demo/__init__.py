"""`mailbot demo`: the whole service on this machine, with no account anywhere.

An IMAP and an SMTP server in this process, the real daemon between them, two requesters and two agents with a mail
page in the browser, an adjustable clock, and a guided tour of a ticket's life. Everything is bound to 127.0.0.1, is
stored in a temporary folder, and is removed at the end. The way in is `run`; the page and the tour work on a `session`.
"""
