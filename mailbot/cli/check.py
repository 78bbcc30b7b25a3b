"""`mailbot check`: can this desk work? Each part is tried as the daemon would use it, and nothing is changed.

In: settings that were read already (a configuration that can't be used ends the command before). Out: findings, in the
order in which a new installation meets the problems; each says what was found and, where it is not well, the mend.
Never: a mail sent (but for `try_alerts`) or moved, a database made, a question to the DNS but for the servers' names.
"""

from __future__ import annotations

import os
import shlex
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from mailbot.cli import output
from mailbot.config.model import Settings
from mailbot.errors import ConfigError, MailbotError

# Nobody wants to wait for long at a terminal, and who asks must not keep the daemon from writing either.
LOCK_WAIT_SECONDS = 3.0
LITTLE_ROOM = 1_000_000_000
NO_ROOM = 100_000_000
# Before this day no mailbot existed: a clock that says so has stopped or lost its battery.
EARLIEST = datetime(2025, 11, 1, tzinfo=UTC)
EXAMPLE_ADDRESS = "support@helpdesk.example"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One line of the report. `mend` is what to do, "" where all is well."""

    part: str
    state: Literal["ok", "warn", "fail"]
    found: str
    mend: str = ""


def examine(settings: Settings) -> Iterator[CheckResult]:
    """Every check, in order, as it is done."""
    for part, look in CHECKS:
        try:
            yield from look(settings)
        except ConfigError as error:
            yield from (CheckResult(part, "fail", problem) for problem in error.problems)
        except (MailbotError, OSError) as error:
            yield CheckResult(part, "fail", str(error))


def _configuration(settings: Settings) -> Iterator[CheckResult]:
    file = settings.config_file
    yield CheckResult("configuration", "ok", f"{file or 'defaults'} has no mistake")
    if settings.helpdesk.address == EXAMPLE_ADDRESS and settings.imap.host not in ("127.0.0.1", "localhost"):
        yield CheckResult(
            "configuration", "warn", f"the desk's address is still {EXAMPLE_ADDRESS}", "set [helpdesk] address"
        )
    for box in settings.mailboxes:
        if not box.username:
            table = f"[[mailbox]] {box.name}:" if box.name else "[imap]"
            yield CheckResult(
                "configuration", "warn", f"{table} username is empty", "set it: the log-in of the desk's mailbox"
            )
    for name, holds_secret in _secret_places(settings):
        mode = stat.S_IMODE(name.stat().st_mode) if name.exists() else 0
        if holds_secret and mode & 0o077:
            mend = f"chmod 600 {name}" if name != file else "put it into a file of its own (password_file), chmod 600"
            yield CheckResult(
                "configuration", "warn", f"{name} holds a password and others may read it ({mode:04o})", mend
            )


def _secret_places(settings: Settings) -> Iterator[tuple[Path, bool]]:
    """Files that hold a password, as far as the configuration tells."""
    servers = (*settings.mailboxes, settings.smtp, settings.alerts)
    if settings.config_file is not None:
        inside = any(server.password.get_secret_value() and server.password_file is None for server in servers)
        # A systemd credential or the environment may be where it came from: then the file holds none.
        from_outside = bool(os.environ.get("CREDENTIALS_DIRECTORY")) or any(
            name.upper().startswith("MAILBOT_") and "PASSWORD" in name.upper() for name in os.environ
        )
        yield settings.config_file, inside and not from_outside
    for server in servers:
        if server.password_file is not None:
            yield server.password_file, True


def _agents(settings: Settings) -> Iterator[CheckResult]:
    written = settings.agents
    if not written:
        yield CheckResult(
            "agents", "warn", "the configuration names none", "add [[agents]], or use `mailbot agent add`"
        )
    elif not any(agent.role == "lead" for agent in written):
        yield CheckResult(
            "agents", "warn", f"{len(written)}, none of them a lead: all of them get notices", 'give one role = "lead"'
        )
    else:
        yield CheckResult("agents", "ok", f"{len(written)}: {', '.join(agent.email for agent in written)}")


def _trust(settings: Settings) -> Iterator[CheckResult]:
    """Can an agent's mail be proven as [agent_mail] trust asks?"""
    from mailbot.config.dkim_keys import read_dkim_keys

    trust, servers = settings.agent_mail.trust, settings.inbound.trusted_authserv_ids
    keys = read_dkim_keys(settings.agent_mail.dkim_keys)
    if trust == "token":
        yield CheckResult("agents' mail", "ok", "believed by its signed reply address (trust = token)")
        return
    if servers or keys:
        named = ", ".join([*servers, *([f"{len(keys)} DKIM keys"] if keys else [])])
        yield CheckResult("agents' mail", "ok", f"trust = {trust}, by {named}")
        return
    what = (
        "only the signed reply address can prove it"
        if trust == "either"
        else "none can be proven, and all of it is held until its agent confirms"
        if trust == "dmarc"
        else "none can be proven, and even a confirmation is held"
    )
    mend = (
        "name the server that checks DMARC for this mailbox in [inbound] trusted_authserv_ids (the first word of its "
        "Authentication-Results), put DKIM keys of the agents' domains into [agent_mail] dkim_keys, or set "
        'trust = "token"'
    )
    words = f"trust = {trust}, but [inbound] trusted_authserv_ids and [agent_mail] dkim_keys are empty: {what}"
    yield CheckResult("agents' mail", "warn", words, mend)


def _templates(settings: Settings) -> Iterator[CheckResult]:
    from mailbot.desk.wiring import make_renderer

    names = make_renderer(settings).check()
    own = f", those in {settings.helpdesk.templates_dir} first" if settings.helpdesk.templates_dir else ""
    yield CheckResult("templates", "ok", f"{len(names)} rendered in Indonesian and English{own}")


def _folder(settings: Settings) -> Iterator[CheckResult]:
    folder = settings.storage.data_dir
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        mend = "run as mailbot's user, let it own the folder, or set [storage] data_dir"
        yield CheckResult("data folder", "fail", f"{there} may not be written by user id {os.geteuid()}", mend)
        return
    free = shutil.disk_usage(there).free
    state: Literal["ok", "warn", "fail"] = "fail" if free < NO_ROOM else "warn" if free < LITTLE_ROOM else "ok"
    words = f"{folder}: {free / 1e9:.1f} GB free" + ("" if folder.exists() else " (made at the first start)")
    yield CheckResult(
        "data folder", state, words, "" if state == "ok" else "make room, or set [storage] data_dir to another disk"
    )


def _database(settings: Settings) -> Iterator[CheckResult]:
    from mailbot.desk.wiring import open_store
    from mailbot.runtime.clock import SystemClock
    from mailbot.store import integrity, schema_version
    from mailbot.store.integrity import InUse

    file = settings.storage.data_dir / "mailbot.db"
    if not settings.storage.database_url.get_secret_value() and not file.exists():
        yield CheckResult("database", "ok", f"{file}: made at the first start")
        return
    with open_store(settings, SystemClock(), lock_wait=LOCK_WAIT_SECONDS) as store:
        with store.reading() as connection:
            found = schema_version.version(connection)
        if found != schema_version.HEAD:
            words = f"{store.described()}: schema {found or '(none yet)'}, this mailbot has {schema_version.HEAD}"
            yield CheckResult("database", "warn", words, "it is upgraded at the next start; `mailbot db backup` first")
            return
        try:
            problems = integrity.check(store)
        except InUse as error:
            words = f"{error}; schema {found}, sound as far as it can be looked at meanwhile"
            yield CheckResult(
                "database", "warn", words, "until then all mail waits; say `mailbot check` again afterwards"
            )
            return
        yield from (CheckResult("database", "fail", problem, "restore a backup") for problem in problems)
        if not problems:
            yield CheckResult("database", "ok", f"{store.described()}: schema {found}, sound")


def _imap(settings: Settings) -> Iterator[CheckResult]:
    from mailbot.transport.imap.login import server_name
    from mailbot.transport.imap.mailbox import Mailbox

    for imap in settings.mailboxes:
        box = Mailbox(imap, max_size=settings.inbound.max_size)
        try:
            box.open()
            _, waiting = box.uids()
        except (MailbotError, OSError) as error:
            yield CheckResult("IMAP", "fail", str(error))
            continue  # the other mailboxes work all the same
        finally:
            box.close()
        waits = "1 mail waits" if len(waiting) == 1 else f"{len(waiting)} mails wait"
        folders = ", ".join(name for name in (imap.folder, imap.processed_folder, imap.quarantine_folder) if name)
        where = server_name(imap).removeprefix("IMAP ")
        yield CheckResult("IMAP", "ok", f"{where}: logged in; {folders} are there; {waits} in {imap.folder}")


def _smtp(settings: Settings) -> Iterator[CheckResult]:
    from mailbot.transport.smtp.submission import Submission

    yield CheckResult("SMTP", "ok", Submission(settings.smtp).check())


def _scanner(settings: Settings) -> Iterator[CheckResult]:
    from mailbot.transport.clamd import Clamd, Unscanned

    wanted = settings.attachments
    if not wanted.clamd:
        yield CheckResult("virus scanner", "ok", "none is asked for ([attachments] clamd)")
        return
    said = Clamd(wanted.clamd, wanted.clamd_timeout.total_seconds()).version()
    if isinstance(said, Unscanned):
        fate = "held back" if wanted.clamd_down == "hold" else "passed on unscanned"
        words = f"clamd at {wanted.clamd}: {said.why}; files are {fate} meanwhile"
        yield CheckResult("virus scanner", "fail", words, "systemctl start clamav-daemon, or mend [attachments] clamd")
    else:
        yield CheckResult("virus scanner", "ok", f"{said} at {wanted.clamd}")


def _lmtp(settings: Settings) -> Iterator[CheckResult]:
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
    with socket.socket(family) as wire:
        wire.settimeout(5.0)
        try:
            wire.connect(where)
            greeting = wire.recv(200).decode("ascii", "replace").strip()
        except OSError as error:
            words = f"nobody listens on {listen} ({error.strerror or error})"
            yield CheckResult("LMTP", "warn", words, "it does while mailbot runs: systemctl status mailbot")
            return
    if "mailbot LMTP" in greeting:
        yield CheckResult("LMTP", "ok", f"{listen}: {greeting}")
    else:
        words = f'another program answers on {listen}: "{greeting[:80]}"'
        yield CheckResult("LMTP", "fail", words, "set [lmtp] listen to an address that is free")


def _clock(settings: Settings) -> Iterator[CheckResult]:
    from mailbot.desk.outbound.formats import format_stamp
    from mailbot.runtime.clock import SystemClock

    now = SystemClock().now()
    words = f"{format_stamp(now, 'en', settings.helpdesk.zone)} ({settings.helpdesk.timezone})"
    if now < EARLIEST:
        yield CheckResult("clock", "fail", f"{words}: this machine's clock is wrong", "timedatectl set-ntp true")
    else:
        yield CheckResult("clock", "ok", words)


def _hours(settings: Settings) -> Iterator[CheckResult]:
    from mailbot.config.holidays import service_hours
    from mailbot.desk.outbound.formats import format_moment
    from mailbot.runtime.clock import SystemClock

    hours, now = service_hours(settings.hours, settings.helpdesk.timezone), SystemClock().now()
    opens = format_moment(hours.next_opening(now), "en", settings.helpdesk.zone)
    state = "open now" if hours.is_open(now) else f"closed now, next opening {opens}"
    country = settings.hours.holidays
    holidays = f"with holidays of {country}" if country else "without holidays"
    yield CheckResult("service hours", "ok", f"{state}; {holidays}")


def _alerts(settings: Settings) -> Iterator[CheckResult]:
    alerts = settings.alerts
    ways = [*alerts.addresses, *(["a command"] if alerts.command else [])]
    if not ways:
        mend = "set [alerts] addresses or command, so that somebody hears when the desk itself is silent"
        yield CheckResult("alerts", "warn", "nobody is told when no mail comes in or goes out", mend)
        return
    program = shlex.split(alerts.command)[0] if alerts.command else ""
    if program and shutil.which(program) is None:
        yield CheckResult(
            "alerts", "fail", f"{program} can't be run", "correct [alerts] command, or make it executable"
        )
    if alerts.addresses and not alerts.host:
        mend = "set [alerts] host to a second mail server"
        words = f"{', '.join(alerts.addresses)}, by the server of [smtp], which may be what is broken"
        yield CheckResult("alerts", "ok" if alerts.command else "warn", words, "" if alerts.command else mend)
    elif alerts.addresses:
        yield from _alert_server(settings)
    if program:
        yield CheckResult("alerts", "ok", f"a command: {program}")


def try_alerts(settings: Settings) -> Iterator[CheckResult]:
    """A trial alert by each way of [alerts]; the only thing here that sends something, and only when asked to."""
    import secrets

    from mailbot.desk.wiring import (
        make_profile,
        make_renderer,
        read_keys,
    )
    from mailbot.monitoring.alert import trial
    from mailbot.monitoring.alert_channels import channels_of, in_alerts
    from mailbot.runtime.clock import SystemClock

    clock = SystemClock()
    channels = channels_of(
        settings, make_profile(settings, read_keys(settings), clock.now()), clock, lambda: secrets.token_hex(10)
    )
    alert = trial(make_renderer(settings), settings.helpdesk.language, clock.now())
    if not channels:
        yield CheckResult("trial alert", "fail", "there is nobody to tell", "set [alerts] addresses or command")
    for channel in channels:
        why = in_alerts(settings, channel.send(alert))
        yield CheckResult("trial alert", "fail" if why else "ok", f"{channel.name}: {why or alert.subject}")


def _alert_server(settings: Settings) -> Iterator[CheckResult]:
    from mailbot.monitoring.alert_channels import in_alerts, smtp_settings
    from mailbot.transport.smtp.submission import Submission

    try:
        words = Submission(smtp_settings(settings), timeout=20.0).check()
    except MailbotError as error:
        yield CheckResult("alerts", "fail", in_alerts(settings, str(error)))
    else:
        yield CheckResult("alerts", "ok", f"{', '.join(settings.alerts.addresses)} by {words}")


def _daemon(settings: Settings) -> Iterator[CheckResult]:
    """What the running daemon says of itself."""
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
    if not _is_there(found.pid):
        mend = "systemctl start mailbot; journalctl -u mailbot shows why"
        yield CheckResult("daemon", "fail", f"its process {found.pid} is gone without a word; last seen {seen}", mend)
        return
    if abs((SystemClock().now() - found.at).total_seconds()) > health_file.STALE_SECONDS:
        mend = "systemctl status mailbot; systemctl restart mailbot"
        yield CheckResult(
            "daemon", "fail", f"no sign of life since {seen}: it hangs, or can't write to its folder", mend
        )
        return
    yield from _conditions(found.conditions)
    if settings.canary.every is not None:
        yield _last_canary(settings, found.canary)
    if not found.conditions:
        yield CheckResult("daemon", "ok", f"runs (process {found.pid}) and is well; seen {seen}")


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's, as a service's process is
        return True
    return True


def _conditions(conditions: tuple[dict[str, Any], ...]) -> Iterator[CheckResult]:
    for entry in conditions:
        words = f"since {entry.get('since')}: {entry.get('found')}"
        state: Literal["warn", "fail"] = "fail" if entry.get("severity") == "critical" else "warn"
        yield CheckResult("daemon", state, words, str(entry.get("mend", "")))


def _last_canary(settings: Settings, canary: dict[str, Any]) -> CheckResult:
    from mailbot.desk.outbound.formats import format_stamp

    try:
        at = format_stamp(datetime.fromisoformat(canary["back_at"]), "en", settings.helpdesk.zone)
        return CheckResult("canary", "ok", f"the last one came back {at}, after {canary['seconds']:.1f} s")
    except (LookupError, ValueError, TypeError):
        return CheckResult("canary", "ok", "none has come back yet")


CHECKS: tuple[tuple[str, Callable[[Settings], Iterator[CheckResult]]], ...] = (
    ("configuration", _configuration),
    ("agents", _agents),
    ("agents' mail", _trust),
    ("templates", _templates),
    ("clock", _clock),
    ("service hours", _hours),
    ("data folder", _folder),
    ("database", _database),
    ("IMAP", _imap),
    ("SMTP", _smtp),
    ("virus scanner", _scanner),
    ("LMTP", _lmtp),
    ("alerts", _alerts),
    ("daemon", _daemon),
)


_STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red"}


def print_findings(findings: Sequence[CheckResult], *, as_json: bool) -> None:
    """One line each, with the mend below where there is one."""
    if as_json:
        ok = all(finding.state != "fail" for finding in findings)
        output.print_json({"ok": ok, "findings": [asdict(finding) for finding in findings]})
        return
    from rich.text import Text

    out = output.console()
    for finding in findings:
        state = (f"{finding.state:<5}", _STYLES[finding.state])
        out.print(Text.assemble(state, f"{finding.part:<14} {output.cell(finding.found)}"), soft_wrap=True)
        if finding.mend:
            out.print(Text(f"{'':<20} → {output.cell(finding.mend)}", style="dim"), soft_wrap=True)
