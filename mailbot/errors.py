"""The hierarchy of errors. Temporary or permanent is a type, never a text; an unknown error counts as temporary.

Messages are written for the person who will read them: where it happened, what was found, and the remedy.
"""

from __future__ import annotations


class MailbotError(Exception):
    """Base of all errors that mailbot raises on purpose."""

    exit_code = 1  #: Of the command line.


class UsageError(MailbotError):
    """Wrong use of a command: an option, an argument, a combination."""

    exit_code = 2


class ConfigError(MailbotError):
    """An unusable configuration."""

    exit_code = 2

    def __init__(self, problems: list[str]) -> None:
        #: One line for each error, all of them at once.
        self.problems = problems
        super().__init__("\n".join(problems))


class NotPossible(MailbotError):
    """A request that the desk's rules reject (an unknown ticket, a merge of two persons' tickets, …)."""


class TemporaryError(MailbotError):
    """A failure of machine or network that may pass. Never a reason to quarantine a mail."""


class PermanentError(MailbotError):
    """A failure that a retry will not change."""


class LogInRefused(PermanentError):
    """The SMTP server rejects the password or token, or the OAuth provider requires a person to log in."""


class MailboxUnavailable(TemporaryError):
    """The IMAP server can't be reached, rejected the login, or closed the connection."""

    def __init__(self, message: str, *, credentials: bool = False) -> None:
        #: The server rejected the password or token, so retrying alone will not help.
        self.credentials = credentials
        super().__init__(message)


class FilingRefused(MailboxUnavailable):
    """The IMAP server is reachable, but does not move handled mail out of the folder."""


class StoreUnavailable(TemporaryError):
    """The database is locked, full, read-only or gone."""


class DeskInUse(MailbotError):
    """Another mailbot process has locked this desk's database."""
