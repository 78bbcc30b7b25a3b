"""The error tree. Temporary or permanent is a type, never a text; what is unknown counts as temporary.

Every message is written for the person who will read it: it names the place, what was found, and the mend.
"""

from __future__ import annotations


class MailbotError(Exception):
    """Root of everything that mailbot raises on purpose. `exit_code` is what the command line ends with."""

    exit_code = 1


class UsageError(MailbotError):
    """Wrong use of a command: an option, an argument, a combination."""

    exit_code = 2


class ConfigError(MailbotError):
    """The configuration can't be used. `problems` holds one line for each fault found, all of them at once."""

    exit_code = 2

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class NotPossible(MailbotError):
    """A request that the rules of the desk refuse (an unknown ticket, a merge of two persons' tickets, …)."""


class TemporaryError(MailbotError):
    """The machine's or the network's fault: the same thing may work later. Never a reason to quarantine a mail."""


class PermanentError(MailbotError):
    """Trying again gives the same answer."""


class LogInRefused(PermanentError):
    """The SMTP server refuses the password or the token, or no token is given without a person."""


class MailboxUnavailable(TemporaryError):
    """The IMAP server can't be reached, refused the log-in, or closed the connection.

    `credentials`: the server refused the password or the token, so that waiting alone will not mend it.
    """

    def __init__(self, message: str, *, credentials: bool = False) -> None:
        self.credentials = credentials
        super().__init__(message)


class FilingRefused(MailboxUnavailable):
    """The server answers, but will not move handled mail out of the folder. The connection is in order."""


class StoreUnavailable(TemporaryError):
    """The database is locked, full, read-only or gone."""


class DeskInUse(MailbotError):
    """Another mailbot process holds this desk's database."""
