"""Reading mail by IMAP. Way in: `mailbox.Mailbox`.

connection: one connection, with deadlines · login: opens it and authenticates · folders: names as the server wants
them · fetch: which mails wait, and their bytes · suspects: mails that break the connection · move: out of the inbox,
exactly once · unquarantine: out of the quarantine folder · idle: waits for mail.
"""
