"""Probes of the service in operation: alert channels, the running daemon, its canary."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Iterator, Mapping
from datetime import datetime

from mailbot.cli.checks.result import CheckResult, State
from mailbot.config.model import Settings
from mailbot.errors import MailbotError


def alerts(settings: Settings) -> Iterator[CheckResult]:
    """Check that [alerts] reaches somebody, by another way than the mail server that may be down."""
    wanted = settings.alerts
    if not wanted.addresses and not wanted.command:
        remedy = "set [alerts] addresses or command, so that somebody is notified when the desk itself is silent"
        yield CheckResult("alerts", "warn", "nobody is notified when no mail comes in or goes out", remedy)
        return
    program = shlex.split(wanted.command)[0] if wanted.command else ""
    if program and shutil.which(program) is None:
        remedy = "correct [alerts] command, or make it executable"
        yield CheckResult("alerts", "fail", f"{program} can't be run", remedy)
    if wanted.addresses and not wanted.host:
        words = f"{', '.join(wanted.addresses)}, by the server of [smtp], which may be what is broken"
        remedy = "set [alerts] host to a second mail server"
        yield CheckResult("alerts", "ok" if wanted.command else "warn", words, "" if wanted.command else remedy)
    elif wanted.addresses:
        yield _alert_server(settings)
    if program:
        yield CheckResult("alerts", "ok", f"a command: {program}")


def _alert_server(settings: Settings) -> CheckResult:
    from mailbot.monitoring.alert_channels import in_alerts, smtp_settings
    from mailbot.transport.smtp.submission import Submission

    try:
        words = Submission(smtp_settings(settings), timeout=20.0).check()
    except MailbotError as error:
        return CheckResult("alerts", "fail", in_alerts(settings, str(error)))
    return CheckResult("alerts", "ok", f"{', '.join(settings.alerts.addresses)} by {words}")


def send_trial_alerts(settings: Settings) -> Iterator[CheckResult]:
    """Send a trial alert through each channel of [alerts]; the only function here that sends anything."""
    import secrets

    from mailbot.desk.wiring import make_profile, make_renderer, read_keys
    from mailbot.monitoring.alert import trial
    from mailbot.monitoring.alert_channels import channels_of, in_alerts
    from mailbot.runtime.clock import SystemClock

    clock = SystemClock()
    profile = make_profile(settings, read_keys(settings), clock.now())
    channels = channels_of(settings, profile, clock, lambda: secrets.token_hex(10))
    alert = trial(make_renderer(settings), settings.helpdesk.language, clock.now())
    if not channels:
        yield CheckResult("trial alert", "fail", "there is nobody to notify", "set [alerts] addresses or command")
    for channel in channels:
        why = in_alerts(settings, channel.send(alert))
        yield CheckResult("trial alert", "fail" if why else "ok", f"{channel.name}: {why or alert.subject}")


def daemon(settings: Settings) -> Iterator[CheckResult]:
    """Report what the running daemon says of itself in its health file."""
    from mailbot.desk.outbound.formats import format_stamp
    from mailbot.monitoring import health_file
    from mailbot.runtime.clock import SystemClock

    found = health_file.read(settings.storage.data_dir)
    if found is None:
        yield CheckResult("daemon", "ok", "none has run here yet")
        return
    seen = format_stamp(found.at, "en", settings.helpdesk.zone)
    if not found.running:
        yield CheckResult("daemon", "warn", f"does not run; it ended {seen}", "systemctl start mailbot")
        return
    if not _process_exists(found.pid):
        words = f"its process {found.pid} has died without reporting why; last seen {seen}"
        yield CheckResult("daemon", "fail", words, "systemctl start mailbot; journalctl -u mailbot shows why")
        return
    if abs((SystemClock().now() - found.at).total_seconds()) > health_file.STALE_SECONDS:
        words = f"no heartbeat since {seen}: it hangs, or can't write to its folder"
        yield CheckResult("daemon", "fail", words, "systemctl status mailbot; systemctl restart mailbot")
        return
    for condition in found.conditions:
        words = f"since {condition.get('since')}: {condition.get('found')}"
        state: State = "fail" if condition.get("severity") == "critical" else "warn"
        yield CheckResult("daemon", state, words, str(condition.get("mend", "")))
    if settings.canary.every is not None:
        yield _last_canary(settings, found.canary)
    if not found.conditions:
        yield CheckResult("daemon", "ok", f"runs (process {found.pid}) and is well; seen {seen}")


def _process_exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's, as a service's process is
        return True
    return True


def _last_canary(settings: Settings, canary: Mapping[str, object]) -> CheckResult:
    from mailbot.desk.outbound.formats import format_stamp

    try:
        returned = datetime.fromisoformat(str(canary["back_at"]))
        words = f"the last one came back {format_stamp(returned, 'en', settings.helpdesk.zone)}"
        return CheckResult("canary", "ok", f"{words}, after {canary['seconds']:.1f} s")
    except (LookupError, ValueError, TypeError):
        return CheckResult("canary", "ok", "none has come back yet")
