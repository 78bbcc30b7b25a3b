"""The ways by which an alert leaves: a mail to each address by a server of its own, and a command.

In: [alerts]. Out: routes with names that stay the same over a restart; `tell` says "" or why it did not work, and never
raises. The mail's header: Auto-Submitted (RFC 3834), X-Mailbot-Kind: notice, and the desk's own mark, so that an alert
that comes back to the desk is a LOOP.
Never: a shell; the desk's secrets in the command's environment; the outbox, which may be what is broken.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Protocol

from mailbot.config.model import ServerSettings, Settings, SmtpSettings
from mailbot.desk.profile import DeskProfile
from mailbot.errors import PermanentError
from mailbot.mail.compose.composer import (
    Draft,
    compose,
    message_id,
)
from mailbot.mail.message import Address, MessageKind
from mailbot.monitoring.alert import Alert
from mailbot.runtime.clock import Clock
from mailbot.runtime.subprocesses import bound_to_parent
from mailbot.transport.smtp.submission import Accepted, Submission

SMTP_PATIENCE = 30.0
COMMAND_WITHIN = 30.0
# What the daemon has in its environment that is nobody else's business: settings with passwords, credentials, systemd.
_PRIVATE = re.compile(r"MAILBOT_|CREDENTIALS_DIRECTORY$|NOTIFY_SOCKET$|WATCHDOG_|LISTEN_")
_KEYS = re.compile(rf"\bsmtp\.(?={'|'.join(ServerSettings.model_fields)}|port\b|security\b)")


class Route(Protocol):
    """One way of telling."""

    name: str

    def tell(self, alert: Alert) -> str:
        """Tell it; "" or, in one sentence, why that was not possible."""

    def interrupt(self) -> None:
        """From another thread: end what `tell` waits for."""


def routes_of(settings: Settings, profile: DeskProfile, clock: Clock, new_id: Callable[[], str]) -> tuple[Route, ...]:
    """Every way that [alerts] names."""
    alerts = settings.alerts
    smtp = smtp_settings(settings)
    mails = tuple(
        MailRoute(address, smtp, alerts.sender or profile.address, profile, clock, new_id)
        for address in alerts.addresses
    )
    return (*mails, *([CommandRoute(alerts.command, profile)] if alerts.command else []))


def smtp_settings(settings: Settings) -> SmtpSettings:
    """The server for alerts: that of [alerts], or that of [smtp] where [alerts] has none."""
    if not settings.alerts.host:
        return settings.smtp
    keys = (*ServerSettings.model_fields, "port", "security")
    return SmtpSettings(**{key: getattr(settings.alerts, key) for key in keys})


def in_alerts(settings: Settings, words: str) -> str:
    """A message of smtp.py that names the keys of [smtp], where it is [alerts] that has them."""
    return _KEYS.sub("alerts.", words) if settings.alerts.host else words


class MailRoute:
    """A mail to one address."""

    def __init__(
        self,
        address: str,
        smtp: SmtpSettings,
        sender: str,
        profile: DeskProfile,
        clock: Clock,
        new_id: Callable[[], str],
    ) -> None:
        self.name = f"mail:{address}"
        self._address = address
        self._submission = Submission(smtp, timeout=SMTP_PATIENCE)
        self._sender = sender
        self._profile = profile
        self._clock = clock
        self._new_id = new_id

    def tell(self, alert: Alert) -> str:
        try:
            outcome = self._submission.send(self._sender, self._address, self._composed(alert))
        except PermanentError as error:
            return str(error)
        finally:
            self._submission.close()  # the next one is hours away
        return "" if isinstance(outcome, Accepted) else f"{outcome.code or ''} {outcome.text}".strip()

    def _composed(self, alert: Alert) -> bytes:
        profile = self._profile
        return compose(
            Draft(
                kind=MessageKind.NOTICE,
                from_name=f"{profile.name} (mailbot)",
                from_email=self._sender,
                to=Address(self._address),
                subject=alert.subject,
                text=alert.text,
                html=alert.html,
                message_id=message_id(f"alert.{self._new_id()}", self._sender.rpartition("@")[2]),
                date=self._clock.now().astimezone(profile.zone),
                auto_submitted="auto-generated",
                instance_id=profile.instance_id,
            )
        )

    def interrupt(self) -> None:
        self._submission.interrupt()


class CommandRoute:
    """A program of the admin's: the alert's text on its standard input, the facts in MAILBOT_ALERT_…."""

    name = "command"

    def __init__(self, command: str, profile: DeskProfile, within: float = COMMAND_WITHIN) -> None:
        self._command = command
        self._profile = profile
        self._within = within
        self._process: subprocess.Popen[bytes] | None = None

    def tell(self, alert: Alert) -> str:
        try:
            self._process = process = subprocess.Popen(  # noqa: S603 - the admin's own command, no shell between
                bound_to_parent(shlex.split(self._command)),
                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                env=environment(alert, self._profile, os.environ), start_new_session=True,
            )  # fmt: skip
        except (OSError, ValueError) as error:
            return f"alerts.command could not be run: {error}"
        try:
            _, complaint = process.communicate(f"{alert.subject}\n\n{alert.text}".encode(), self._within)
        except subprocess.TimeoutExpired:
            return f"alerts.command had not ended after {self._within:.0f} s and was ended"
        finally:
            self._end(process)
        if process.returncode == 0:
            return ""
        said = " ".join(complaint.decode("utf-8", "replace").split())[-300:] or "nothing"
        return f"alerts.command ended with {process.returncode} (it said: {said})"

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        """Whatever it left behind goes with it: the process has a session, hence a group, of its own."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdin, process.stderr):
            if pipe is not None:
                with suppress(OSError):  # it did not read what it was given
                    pipe.close()

    def interrupt(self) -> None:
        process = self._process
        if process is not None and process.poll() is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)


def environment(alert: Alert, profile: DeskProfile, surroundings: Mapping[str, str]) -> dict[str, str]:
    """What the command gets: the daemon's environment without its secrets, and the alert's facts."""
    kept = {name: value for name, value in surroundings.items() if not _PRIVATE.match(name)}
    return kept | {
        "MAILBOT_ALERT_STATE": alert.state,
        "MAILBOT_ALERT_SEVERITY": alert.severity.name.lower(),
        "MAILBOT_ALERT_CONDITIONS": " ".join(alert.names),
        "MAILBOT_ALERT_SINCE": alert.since.isoformat(timespec="seconds"),
        "MAILBOT_ALERT_SUBJECT": alert.subject,
        "MAILBOT_ALERT_DESK": profile.address,
    }
