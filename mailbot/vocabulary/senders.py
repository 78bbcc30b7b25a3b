"""TODO."""

from __future__ import annotations

# Local parts that only a mail system writes from; dots, dashes, underscores and spaces removed.
DAEMONS = frozenset(
    (
        "mailerdaemon",
        "maildaemon",
        "mailerdeamon",
        "mdaemon",
        "maildeliverysystem",
        "maildeliverysubsystem",
        "maildelivery",
        "mailersystem",
        "mailsystem",
        "postoffice",
        "mmdf",
        "uucp",
        "internetmaildelivery",
    )
)


# Display names of mail systems, removed of everything but letters.
DAEMON_NAMES = frozenset(
    (
        "mailerdaemon",
        "maildeliverysystem",
        "maildeliverysubsystem",
        "maildeliveryservice",
        "mailadministrator",
        "deliverysubsystem",
        "systemadministrator",
        "postmaster",
        "mailsystem",
        "internetmaildelivery",
        "mailserver",
        "microsoftoutlook",
        "mailersystem",
        "jetmailsystem",
        "messagedeliverysystem",
        "emaildeliverysystem",
        "mailarchitectmailserver",
        "pmdfemailinterconnect",
    )
)


# People stand behind these at times ("postmaster@sekolah.sch.id"), so they are half a sign.
POSTMASTERS = frozenset(("postmaster", "poostmaster", "postmaster1", "mailadm", "mailmaster"))


# Starts and ends of local parts that send and don't read; separators removed.
AUTOMATIC_STARTS = (
    "noreply",
    "donotreply",
    "dontreply",
    "neverreply",
    "notreply",
    "noresponse",
    "janganbalas",
    "tidakdibalas",
    "bounce",
    "autoreply",
    "autoresponse",
    "autoresponder",
    "autorespond",
    "automated",
    "automail",
    "automatic",
    "otomatis",
    "notification",
    "notifikasi",
    "notify",
    "notifier",
    "newsletter",
    "mailman",
    "listserv",
    "majordomo",
    "mailerdaemon",
    "maildaemon",
    "prvs=",
    "srs0=",
    "srs1=",
    "owner-",
    "ndr",
    "dsn",
    "cron",
    "daemon",
    "wwwdata",
    "alert",
    "vacation",
    "unattended",
    "robot",
    "mailbot",
    "feedbackloop",
)


AUTOMATIC_ENDS = (
    "noreply",
    "donotreply",
    "-bounces",
    "-bounce",
    "-owner",
    "-request",
    "-noreply",
    "autoreply",
    "-daemon",
    "notifications",
    "-notify",
    "-alerts",
)


AUTOMATIC = frozenset(
    (
        "root",
        "nobody",
        "apache",
        "www",
        "httpd",
        "sympa",
        "ezmlm",
        "postmaster",
        "mailer",
        "smtp",
        "mta",
        "imss",
        "fbl",
        "updates",
        "system",
        "sys",
        "bot",
        "robot",
        "server",
        "www-data",
    )
)


# A list manager speaks for itself from these; a post to the list has its author in From.
LIST_MANAGERS = (
    "-admin",
    "-owner",
    "-request",
    "-bounces",
    "-help",
    "-ctl",
    "listserv",
    "majordomo",
    "mailman",
    "owner-",
)


# Programmes on a mail's way; they write only where something went wrong. Starts of local parts, separators removed.
GATEWAYS = (
    "interscan",
    "symantec",
    "antivirus",
    "virusscan",
    "mailmarshal",
    "mailsweeper",
    "mailgateway",
    "mailgate",
    "mailgw",
    "inetgw",
    "smtpgw",
    "smtpgateway",
    "mailfilter",
    "spamfilter",
    "surfcontrol",
    "barracuda",
    "ironport",
    "mimecast",
    "mailguard",
    "mailscanner",
    "amavis",
    "microsoftexchange",
    "imss",
    "mailrouter",
    "smtpserver",
    "mailserver",
)


# People, or the machines that they named after themselves.
ADMINS = ("admin", "administrator", "sysadmin", "mailadmin", "systemadmin", "itadmin", "hostmaster", "webmaster", "mms")
