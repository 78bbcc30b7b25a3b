"""Sending mail through an SMTP server. Way in: `submission.Submission` (one connection), `pool` (several).

session: connect, TLS, log in.
"""
