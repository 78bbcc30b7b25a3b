"""The protocols to the mail servers and the virus scanner. Knows neither tickets nor the database.

Ways in: `imap.mailbox.Mailbox` (reading), `smtp.submission.Submission` and `smtp.pool` (sending), `clamd.Clamd`
(scanning). Shared: `tls` (contexts, sockets, error texts), `oauth` (access tokens).
"""
