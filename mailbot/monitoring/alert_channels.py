"""How alerts are sent: as a mail to each address, through an SMTP server of its own if configured, and to a command.

In: [alerts]. Out: channels whose names are stable across restarts; `send` returns "" or the reason for a failure, and
never raises. Headers of the mail: Auto-Submitted (RFC 3834), X-Mailbot-Kind: notice, and X-Mailbot-Instance, so that an
alert that comes back to the desk is classified as LOOP.
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
from mailbot.mail.compose.composer import Draft, compose, message_id
from mailbot.mail.message import Address, MessageKind
from mailbot.monitoring.alert import Alert
from mailbot.runtime.clock import Clock
from mailbot.runtime.subprocesses import bound_to_parent
from mailbot.transport.smtp.submission import Accepted, Submission

SMTP_TIMEOUT = 30.0
COMMAND_TIMEOUT = 30.0
# Variables of the daemon that the command must not see: settings with passwords, credentials, systemd's sockets.
_PRIVATE = re.compile(r"MAILBOT_|CREDENTIALS_DIRECTORY$|NOTIFY_SOCKET$|WATCHDOG_|LISTEN_")
_KEYS = re.compile(rf"\bsmtp\.(?={'|'.join(ServerSettings.model_fields)}|port\b|security\b)")


class Channel(Protocol):
    """One way to send alerts."""

    name: str

    def send(self, alert: Alert) -> str:
        """Send the alert; return "" or, in one sentence, why that failed."""

    def interrupt(self) -> None:
        """End what `send` waits for, from another thread."""


def channels_of(
    settings: Settings, profile: DeskProfile, clock: Clock, new_id: Callable[[], str]
) -> tuple[Channel, ...]:
    """Return a channel for everything that [alerts] names."""
    alerts = settings.alerts
    mails = tuple(MailChannel(address, settings, profile, clock, new_id) for address in alerts.addresses)
    return (*mails, *([CommandChannel(alerts.command, profile)] if alerts.command else []))


def smtp_settings(settings: Settings) -> SmtpSettings:
    """Return the server for alerts: that of [alerts], or that of [smtp] if [alerts] has none."""
    if not settings.alerts.host:
        return settings.smtp
    keys = (*ServerSettings.model_fields, "port", "security")
    return SmtpSettings(**{key: getattr(settings.alerts, key) for key in keys})


def in_alerts(settings: Settings, words: str) -> str:
    """Replace the keys of [smtp] in an error message of the submission by those of [alerts], if these are used."""
    return _KEYS.sub("alerts.", words) if settings.alerts.host else words


class MailChannel:
    """Alerts by mail to one address."""

    def __init__(
        self, address: str, settings: Settings, profile: DeskProfile, clock: Clock, new_id: Callable[[], str]
    ) -> None:
        self.name = f"mail:{address}"
        self._address = address
        self._submission = Submission(smtp_settings(settings), timeout=SMTP_TIMEOUT)
        self._sender = settings.alerts.sender or profile.address
        self._profile = profile
        self._clock = clock
        self._new_id = new_id

    def send(self, alert: Alert) -> str:
        """Submit the alert; return "" or why the server did not accept it."""
        try:
            result = self._submission.send(self._sender, self._address, self._composed(alert))
        except PermanentError as error:
            return str(error)
        finally:
            self._submission.close()  # the next one is hours away
        return "" if isinstance(result, Accepted) else f"{result.code or ''} {result.text}".strip()

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
        """Cut the connection."""
        self._submission.interrupt()


class CommandChannel:
    """Alerts to a program: the text on its standard input, the facts in MAILBOT_ALERT_… variables."""

    name = "command"

    def __init__(self, command: str, profile: DeskProfile) -> None:
        self._command = command
        self._profile = profile
        self._process: subprocess.Popen[bytes] | None = None

    def send(self, alert: Alert) -> str:
        """Run the command; return "" or how it failed."""
        try:
            self._process = process = subprocess.Popen(  # noqa: S603 - the admin's own command, no shell between
                bound_to_parent(shlex.split(self._command)),
                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                env=environment(alert, self._profile, os.environ), start_new_session=True,
            )  # fmt: skip
        except (OSError, ValueError) as error:
            return f"alerts.command could not be run: {error}"
        try:
            _, stderr = process.communicate(f"{alert.subject}\n\n{alert.text}".encode(), COMMAND_TIMEOUT)
        except subprocess.TimeoutExpired:
            return f"alerts.command had not ended after {COMMAND_TIMEOUT:.0f} s and was ended"
        finally:
            self._end(process)
        if process.returncode == 0:
            return ""
        said = " ".join(stderr.decode("utf-8", "replace").split())[-300:] or "nothing"
        return f"alerts.command ended with {process.returncode} (it said: {said})"

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        """Kill the process group, which is the command's own (start_new_session), and with it all children."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdin, process.stderr):
            if pipe is not None:
                with suppress(OSError):  # it did not read what it was given
                    pipe.close()

    def interrupt(self) -> None:
        """Kill the command."""
        process = self._process
        if process is not None and process.poll() is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)


def environment(alert: Alert, profile: DeskProfile, inherited: Mapping[str, str]) -> dict[str, str]:
    """Return the command's environment: the daemon's without its secrets, and the facts of the alert."""
    kept = {name: value for name, value in inherited.items() if not _PRIVATE.match(name)}
    return kept | {
        "MAILBOT_ALERT_STATE": alert.state,
        "MAILBOT_ALERT_SEVERITY": alert.severity.name.lower(),
        "MAILBOT_ALERT_CONDITIONS": " ".join(alert.names),
        "MAILBOT_ALERT_SINCE": alert.since.isoformat(timespec="seconds"),
        "MAILBOT_ALERT_SUBJECT": alert.subject,
        "MAILBOT_ALERT_DESK": profile.address,
    }
