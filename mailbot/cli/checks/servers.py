"""Probes of the servers that mailbot talks to: IMAP, SMTP, virus scanner, its own LMTP listener."""

from __future__ import annotations

from collections.abc import Iterator

from mailbot.cli.checks.result import CheckResult
from mailbot.config.model import Settings
from mailbot.errors import MailbotError


def imap(settings: Settings) -> Iterator[CheckResult]:
    """Log in to every mailbox and check its folders."""
    from mailbot.transport.imap.login import server_name
    from mailbot.transport.imap.mailbox import Mailbox

    for box in settings.mailboxes:
        mailbox = Mailbox(box, max_size=settings.inbound.max_size)
        try:
            mailbox.open()
            _, waiting = mailbox.uids()
        except (MailbotError, OSError) as error:
            yield CheckResult("IMAP", "fail", str(error))
            continue  # the other mailboxes may still work
        finally:
            mailbox.close()
        waits = "1 mail waits" if len(waiting) == 1 else f"{len(waiting)} mails wait"
        folders = ", ".join(name for name in (box.folder, box.processed_folder, box.quarantine_folder) if name)
        where = server_name(box).removeprefix("IMAP ")
        yield CheckResult("IMAP", "ok", f"{where}: logged in; {folders} are there; {waits} in {box.folder}")


def smtp(settings: Settings) -> Iterator[CheckResult]:
    """Log in to the submission server."""
    from mailbot.transport.smtp.submission import Submission

    yield CheckResult("SMTP", "ok", Submission(settings.smtp).check())


def virus_scanner(settings: Settings) -> Iterator[CheckResult]:
    """Ask clamd for its version."""
    from mailbot.transport.clamd import Clamd, Unscanned

    part, wanted = "virus scanner", settings.attachments
    if not wanted.clamd:
        yield CheckResult(part, "ok", "none is configured ([attachments] clamd)")
        return
    answer = Clamd(wanted.clamd, wanted.clamd_timeout.total_seconds()).version()
    if isinstance(answer, Unscanned):
        consequence = "held back" if wanted.clamd_down == "hold" else "passed on unscanned"
        words = f"clamd at {wanted.clamd}: {answer.why}; files are {consequence} meanwhile"
        yield CheckResult(part, "fail", words, "systemctl start clamav-daemon, or correct [attachments] clamd")
    else:
        yield CheckResult(part, "ok", f"{answer} at {wanted.clamd}")


def lmtp(settings: Settings) -> Iterator[CheckResult]:
    """Check that it is mailbot that answers on the LMTP address."""
    import socket

    from mailbot.config.values import UnixSocket

    listen = settings.lmtp.listen
    if listen is None:
        return
    family, where = (
        (socket.AF_UNIX, str(listen.path))
        if isinstance(listen, UnixSocket)
        else (socket.AF_INET6 if ":" in listen.host else socket.AF_INET, (listen.host, listen.port))
    )
    with socket.socket(family) as connection:
        connection.settimeout(5.0)
        try:
            connection.connect(where)
            greeting = connection.recv(200).decode("ascii", "replace").strip()
        except OSError as error:
            words = f"nobody listens on {listen} ({error.strerror or error})"
            yield CheckResult("LMTP", "warn", words, "it does while mailbot runs: systemctl status mailbot")
            return
    if "mailbot LMTP" in greeting:
        yield CheckResult("LMTP", "ok", f"{listen}: {greeting}")
    else:
        words = f'another program answers on {listen}: "{greeting[:80]}"'
        yield CheckResult("LMTP", "fail", words, "set [lmtp] listen to an address that is free")
