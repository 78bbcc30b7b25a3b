"""Rules between the keys of the configuration: combinations with which the desk can't work.

In: settings whose single values are valid. Out: for each violated rule the key, what was found and what is allowed.
`CHECKS` is the ordered table of all rules; each names the keys that it reads, so that it is skipped where one of them
is invalid.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from mailbot.config.layers import KeyPath
from mailbot.config.model import (
    DAY_NAMES,
    MailboxSettings,
    ServerSettings,
    Settings,
)
from mailbot.config.values import Listen, duration_text, is_loopback

MAX_REMINDERS = 10
LONGEST_LOCAL_PART = 32
_HOST_AND_PORT = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[^:/?\[\]]*)(?::\d{1,5})?(?:[/?]|$)")
_DATABASES = ("sqlite:///", "postgresql+psycopg://", "postgresql://", "postgres://")


class Violation(NamedTuple):
    """A violated rule."""

    key_path: KeyPath
    found: str
    allowed: str


@dataclass(frozen=True, slots=True)
class Check:
    """One rule."""

    keys: tuple[tuple[str, str], ...]  #: the (table, key) pairs that it reads, key "" for a whole table
    find: Callable[[Settings], Iterator[Violation]]


def _inboxes(settings: Settings) -> Iterator[tuple[KeyPath, MailboxSettings]]:
    """Yield every inbox that is read, with the table that configures it."""
    for position, box in enumerate(settings.mailboxes):
        yield (("mailbox", position) if settings.mailbox else ("imap",)), box


def _imap_open_line(settings: Settings) -> Iterator[Violation]:
    for table, box in _inboxes(settings):
        yield from _open_line(table, box, box.security)


def _smtp_open_line(settings: Settings) -> Iterator[Violation]:
    return _open_line(("smtp",), settings.smtp, settings.smtp.security)


def _open_line(table: KeyPath, server: ServerSettings, security: str) -> Iterator[Violation]:
    if security == "none" and not server.allow_insecure and not is_loopback(server.host):
        yield Violation(
            (*table, "security"),
            f'"none" with host "{server.host}", which would show the password and all mail to the network',
            '"tls" or "starttls" (or, if the line is safe by other means, allow_insecure = true)',
        )


def _alerts_open_line(settings: Settings) -> Iterator[Violation]:
    return _open_line(("alerts",), settings.alerts, settings.alerts.security) if settings.alerts.host else iter(())


def _alerts_token(settings: Settings) -> Iterator[Violation]:
    return _token(("alerts",), settings.alerts)


def _alert_addresses(settings: Settings) -> Iterator[Violation]:
    for address in settings.alerts.addresses:
        if address in settings.addresses:
            found = f'"{address}", which is the desk\'s own'
            yield Violation(("alerts", "addresses"), found, "a person's, who reads it when the desk can't")


def _alert_server(settings: Settings) -> Iterator[Violation]:
    alerts = settings.alerts
    if not alerts.host and (alerts.username or alerts.password.get_secret_value()):
        yield Violation(
            ("alerts", "host"),
            '"" with a log-in beside it',
            'the server that it is for (or no log-in: then "" is that of [smtp])',
        )


def _alert_command(settings: Settings) -> Iterator[Violation]:
    try:
        shlex.split(settings.alerts.command)
    except ValueError as error:
        yield Violation(("alerts", "command"), f"a text that can't be split ({error})", "a program and its arguments")


def _canary_folder(settings: Settings) -> Iterator[Violation]:
    if settings.canary.every is not None and not settings.imap.processed_folder:
        found = f'"{duration_text(settings.canary.every)}" with imap.processed_folder empty'
        yield Violation(("canary", "every"), found, "only with a processed_folder, or canaries pile up in the inbox")


def _imap_token(settings: Settings) -> Iterator[Violation]:
    for table, box in _inboxes(settings):
        yield from _token(table, box)


def _smtp_token(settings: Settings) -> Iterator[Violation]:
    return _token(("smtp",), settings.smtp)


def _token(table: KeyPath, server: ServerSettings) -> Iterator[Violation]:
    if server.auth != "xoauth2":
        return
    if not (server.token_file or server.token_command or server.password.get_secret_value()):
        yield Violation(
            (*table, "auth"), '"xoauth2", but nothing that gives a token', "with token_file or token_command"
        )
    if not server.username:
        yield Violation((*table, "username"), '"" with auth = "xoauth2"', "the mailbox that the token is for")


def _folders(settings: Settings) -> Iterator[Violation]:
    for table, box in _inboxes(settings):
        seen: dict[str, str] = {}
        for key in ("folder", "processed_folder", "quarantine_folder"):
            name: str = getattr(box, key)
            # RFC 3501 §5.1: INBOX is the one name that is compared without case.
            same = "INBOX" if name.upper() == "INBOX" else name
            if same and same in seen:
                found = f'"{name}", which is {seen[same]} as well'
                yield Violation((*table, key), found, "another folder, or mail goes round")
            seen.setdefault(same, key)


def _poll(settings: Settings) -> Iterator[Violation]:
    for table, box in _inboxes(settings):
        if box.poll_interval.total_seconds() > 3600:
            found = f'"{duration_text(box.poll_interval)}"'
            yield Violation((*table, "poll_interval"), found, 'at most "1h", or mail lies unread for long')


def _mailboxes_differ(settings: Settings) -> Iterator[Violation]:
    names: set[str] = set()
    readers: dict[str, str] = {}
    for position, box in enumerate(settings.mailboxes if settings.mailbox else ()):
        spelt = box.name.replace("-", "_")  # as in an environment variable
        if spelt in names:
            yield Violation(("mailbox", position, "name"), f'"{box.name}" a second time', "each name once")
        elif box.folder_id in readers:
            found = f'{box.folder} of "{box.username}" on {box.host}, which "{readers[box.folder_id]}" reads already'
            yield Violation(("mailbox", position, "username"), found, "each folder once, or its mail is read twice")
        names.add(spelt)
        readers.setdefault(box.folder_id, box.name)


def _reminders(settings: Settings) -> Iterator[Violation]:
    spans, close = settings.timers.reminders, settings.timers.auto_close
    key_path, written = ("timers", "reminders"), ", ".join(f'"{duration_text(span)}"' for span in spans)
    if not 1 <= len(spans) <= MAX_REMINDERS:
        allowed = f"1 to {MAX_REMINDERS} of them (nothing is closed before a reminder was sent)"
        yield Violation(key_path, f"{len(spans)} of them", allowed)
    if any(later <= earlier for earlier, later in pairwise(spans)):
        yield Violation(key_path, written, "each later than the one before it")
    if spans and max(spans) >= close:
        yield Violation(
            key_path, f'{written} with auto_close = "{duration_text(close)}"', "all of them before the closing"
        )


def _hours(settings: Settings) -> Iterator[Violation]:
    hours = settings.hours
    if hours.open >= hours.close:
        found = f'"{hours.open:%H:%M}" with close = "{hours.close:%H:%M}"'
        yield Violation(("hours", "open"), found, "open before close, on one day")


def _days(settings: Settings) -> Iterator[Violation]:
    days = settings.hours.days
    if not days:
        yield Violation(("hours", "days"), "none", f"at least one of {', '.join(DAY_NAMES)}")
    if len(set(days)) != len(days):
        yield Violation(("hours", "days"), f"a day twice ({', '.join(days)})", "each once")


def _extra_days(settings: Settings) -> Iterator[Violation]:
    for day in sorted(set(settings.hours.extra_holidays) & set(settings.hours.extra_workdays)):
        yield Violation(("hours", "extra_workdays"), f'"{day}", which is in extra_holidays as well', "one of the two")


def _desk_addresses(settings: Settings) -> Iterator[Violation]:
    seen = {settings.helpdesk.address}
    for alias in settings.helpdesk.aliases:
        if alias in seen:
            yield Violation(("helpdesk", "aliases"), f'"{alias}" a second time', "each address of the desk once")
        seen.add(alias)


def _agent_addresses(settings: Settings) -> Iterator[Violation]:
    owner: dict[str, str] = {}
    for position, agent in enumerate(settings.agents):
        for nth, address in enumerate(agent.addresses):
            key_path = ("agents", position, "aliases" if nth else "email")
            if address in settings.addresses:
                yield Violation(
                    key_path, f'"{address}", which is the desk\'s own', "a person's, or the desk writes to itself"
                )
            elif address in owner:
                yield Violation(key_path, f'"{address}", which {owner[address]} has already', "each address once")
            owner.setdefault(address, agent.name)


def _token_room(settings: Settings) -> Iterator[Violation]:
    addresses: list[tuple[KeyPath, str]] = [(("helpdesk", "address"), settings.helpdesk.address)]
    addresses += [(("mailbox", at, "address"), box.address) for at, box in enumerate(settings.mailbox)]
    for key_path, address in addresses if settings.helpdesk.plus_addressing else ():
        local = address.partition("@")[0]
        if "+" not in local and len(local) <= LONGEST_LOCAL_PART:
            continue
        yield Violation(
            key_path,
            f'"{address}"',
            f'at most {LONGEST_LOCAL_PART} characters and no "+" before the "@", since replies carry support+TOKEN@… '
            "(or plus_addressing = false)",
        )


def _database(settings: Settings) -> Iterator[Violation]:
    url = settings.storage.database_url.get_secret_value()
    if url and not url.startswith(_DATABASES):
        scheme = re.match(r"[A-Za-z0-9+.-]{0,40}", url)  # the rest may hold a password
        yield Violation(
            ("storage", "database_url"),
            f'a URL that begins with "{scheme[0] if scheme else ""}"',
            '"postgresql+psycopg://USER@HOST/NAME", "sqlite:///FILE", or "" for mailbot.db in data_dir',
        )
    elif not url.startswith("sqlite") and not _HOST_AND_PORT.match(url.partition("://")[2].split("@", 1)[-1]):
        yield Violation(
            ("storage", "database_url"),
            "a URL whose host or port can't be read",
            '"postgresql+psycopg://USER@HOST:PORT/NAME", an IPv6 address in brackets; in names and passwords each of '
            '":/@?[]" as %XX',
        )


def _lmtp_network(settings: Settings) -> Iterator[Violation]:
    listen = settings.lmtp.listen
    if isinstance(listen, Listen) and not is_loopback(listen.host) and not settings.lmtp.allow_insecure:
        yield Violation(
            ("lmtp", "listen"),
            f'"{listen}", where anybody on the network could hand in mail, and read what is handed in',
            'a loopback address or "unix:FILE" (or, if a firewall keeps others out, allow_insecure = true)',
        )


def _listeners(settings: Settings) -> Iterator[Violation]:
    if settings.web.enabled and settings.metrics.listen == settings.web.listen:
        found = f'"{settings.web.listen}", where [web] listens as well'
        yield Violation(("metrics", "listen"), found, "another port")
    if settings.lmtp.listen is not None and settings.lmtp.listen == settings.metrics.listen:
        yield Violation(
            ("lmtp", "listen"), f'"{settings.lmtp.listen}", where [metrics] listens as well', "another port"
        )
    if settings.web.enabled and settings.lmtp.listen == settings.web.listen:
        yield Violation(("lmtp", "listen"), f'"{settings.lmtp.listen}", where [web] listens as well', "another port")


CHECKS: tuple[Check, ...] = (
    # A password never crosses a network unencrypted by mistake.
    Check((("imap", "security"), ("imap", "host"), ("imap", "allow_insecure")), _imap_open_line),
    Check((("smtp", "security"), ("smtp", "host"), ("smtp", "allow_insecure")), _smtp_open_line),
    # XOAUTH2 needs a source of tokens.
    Check((("imap", "auth"), ("imap", "token_file"), ("imap", "token_command"), ("imap", "username")), _imap_token),
    Check((("smtp", "auth"), ("smtp", "token_file"), ("smtp", "token_command"), ("smtp", "username")), _smtp_token),
    # The alerts' own server obeys the same rules; alerts go to people, not back to the desk.
    Check((("alerts", "security"), ("alerts", "host"), ("alerts", "allow_insecure")), _alerts_open_line),
    Check(
        (("alerts", "auth"), ("alerts", "token_file"), ("alerts", "token_command"), ("alerts", "username")),
        _alerts_token,
    ),
    Check((("alerts", "addresses"), ("helpdesk", "address"), ("helpdesk", "aliases")), _alert_addresses),
    Check((("alerts", "host"), ("alerts", "username"), ("alerts", "password")), _alert_server),
    Check((("alerts", "command"),), _alert_command),
    # A canary that came back has to be moved somewhere.
    Check((("canary", "every"), ("imap", "processed_folder")), _canary_folder),
    # Moving a mail into the folder it is read from would read it again.
    Check((("imap", "folder"), ("imap", "processed_folder"), ("imap", "quarantine_folder")), _folders),
    # Polling finds mail when IDLE has silently stopped working.
    Check((("imap", "poll_interval"),), _poll),
    # Two readers of one folder would process its mail twice, and a name identifies one mailbox.
    Check((("mailbox", ""), ("imap", "username"), ("imap", "host"), ("imap", "folder")), _mailboxes_differ),
    # Reminders are ascending, and before the closing.
    Check((("timers", "reminders"), ("timers", "auto_close")), _reminders),
    # The desk opens on some day, before it closes.
    Check((("hours", "open"), ("hours", "close")), _hours),
    Check((("hours", "days"),), _days),
    # A day can't be both a holiday and a working day.
    Check((("hours", "extra_holidays"), ("hours", "extra_workdays")), _extra_days),
    # An address belongs to one person or the desk, or mail loops.
    Check((("helpdesk", "address"), ("helpdesk", "aliases")), _desk_addresses),
    Check((("agents", ""), ("helpdesk", "address"), ("helpdesk", "aliases")), _agent_addresses),
    # The signed reply address has to fit (RFC 5321 §4.5.3.1.1: 64 octets).
    Check((("helpdesk", "address"), ("helpdesk", "plus_addressing")), _token_room),
    # Only databases that mailbot is tested on.
    Check((("storage", "database_url"),), _database),
    # LMTP has no log-in (RFC 2033 §5): whoever reaches the port may deliver.
    Check((("lmtp", "listen"), ("lmtp", "allow_insecure")), _lmtp_network),
    # One port, one server.
    Check((("web", "listen"), ("metrics", "listen"), ("lmtp", "listen"), ("web", "enabled")), _listeners),
)
