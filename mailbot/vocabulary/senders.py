"""Local parts and display names of senders that are mail systems or unattended mailboxes, in lower case.

`mail.classify.senders` says how much each proves.
"""

# Tables of words: as many as fit on a line.
# fmt: off

# Local parts that only a mail system writes from (RFC 5321 §4.5.5); dots, dashes, underscores and spaces removed.
DAEMONS = frozenset((
    "mailerdaemon", "maildaemon", "mailerdeamon", "mdaemon", "maildeliverysystem", "maildeliverysubsystem",
    "maildelivery", "mailersystem", "mailsystem", "postoffice", "mmdf", "uucp", "internetmaildelivery",
))

# Display names of mail systems, reduced to their letters.
DAEMON_NAMES = frozenset((
    "mailerdaemon", "maildeliverysystem", "maildeliverysubsystem", "maildeliveryservice", "mailadministrator",
    "deliverysubsystem", "systemadministrator", "postmaster", "mailsystem", "internetmaildelivery", "mailserver",
    "microsoftoutlook", "mailersystem", "jetmailsystem", "messagedeliverysystem", "emaildeliverysystem",
    "mailarchitectmailserver", "pmdfemailinterconnect",
))

# Sometimes a person ("postmaster@sekolah.sch.id", RFC 2142), so these prove less.
POSTMASTERS = frozenset(("postmaster", "poostmaster", "postmaster1", "mailadm", "mailmaster"))

# Starts, ends and whole local parts of unattended mailboxes; separators removed where they have none.
AUTOMATIC_STARTS = (
    "noreply", "donotreply", "dontreply", "neverreply", "notreply", "noresponse", "janganbalas", "tidakdibalas",
    "bounce", "autoreply", "autoresponse", "autoresponder", "autorespond", "automated", "automail", "automatic",
    "otomatis", "notification", "notifikasi", "notify", "notifier", "newsletter", "mailman", "listserv", "majordomo",
    "mailerdaemon", "maildaemon", "prvs=", "srs0=", "srs1=", "owner-", "ndr", "dsn", "cron", "daemon", "wwwdata",
    "alert", "vacation", "unattended", "robot", "mailbot", "feedbackloop",
)

AUTOMATIC_ENDS = (
    "noreply", "donotreply", "-bounces", "-bounce", "-owner", "-request", "-noreply", "autoreply", "-daemon",
    "notifications", "-notify", "-alerts",
)

AUTOMATIC = frozenset((
    "root", "nobody", "apache", "www", "httpd", "sympa", "ezmlm", "postmaster", "mailer", "smtp", "mta", "imss",
    "fbl", "updates", "system", "sys", "bot", "robot", "server", "www-data",
))

# Local parts from which list software itself writes; a post to the list has its author in From.
LIST_MANAGERS = (
    "-admin", "-owner", "-request", "-bounces", "-help", "-ctl", "listserv", "majordomo", "mailman", "owner-",
)

# Mail filters and gateways, which write only about failures. Starts of local parts, separators removed.
GATEWAYS = (
    "interscan", "symantec", "antivirus", "virusscan", "mailmarshal", "mailsweeper", "mailgateway", "mailgate",
    "mailgw", "inetgw", "smtpgw", "smtpgateway", "mailfilter", "spamfilter", "surfcontrol", "barracuda", "ironport",
    "mimecast", "mailguard", "mailscanner", "amavis", "microsoftexchange", "imss", "mailrouter", "smtpserver",
    "mailserver",
)

# Administrators: people, or machines named after them.
ADMINS = ("admin", "administrator", "sysadmin", "mailadmin", "systemadmin", "itadmin", "hostmaster", "webmaster", "mms")

# Characters that look alike → the letter that they are compared as (Unicode TR 39 calls it the skeleton).
LOOKALIKES = {
    "0": "o", "1": "l", "i": "l", "|": "l", "!": "l", "3": "e", "5": "s", "$": "s", "@": "@",
    # Cyrillic
    "а": "a", "в": "b", "е": "e", "ѕ": "s", "і": "l", "ј": "j", "к": "k", "м": "m", "н": "h", "о": "o", "р": "p",
    "с": "c", "т": "t", "у": "y", "х": "x", "ԁ": "d", "ԛ": "q", "ԝ": "w", "ӏ": "l", "һ": "h", "ɡ": "g",
    # Greek
    "α": "a", "ε": "e", "η": "n", "ι": "l", "κ": "k", "ν": "v", "ο": "o", "ρ": "p", "τ": "t", "υ": "u", "χ": "x",
    # Latin letters that NFKD leaves as they are
    "ı": "l", "ł": "l", "ø": "o", "đ": "d", "ħ": "h", "ŧ": "t", "ɑ": "a", "ⅼ": "l",
}
