"""IMAP in, in pieces. `mailbot.transport.imap.mailbox.Mailbox` is the door: nothing else imports from here.

wire: one connection, with deadlines · login: open it and prove who we are · folders: names as the server wants them ·
fetching: which mails wait, and their bytes · suspects: mails that break the connection · filing: out of the inbox,
exactly once · waiting: until something comes.
"""
