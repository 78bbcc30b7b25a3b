"""The types of values in the configuration: durations, sizes, rates, times, addresses, paths.

In: what TOML or the environment holds. Out: the typed value. Each reader raises ValueError, whose text completes the
sentence "allowed: …" for the admin. Never: accesses the disk or another key.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, Strict

from mailbot.vocabulary.refused_files import KINDS as REFUSED_KINDS

DURATION = 'a duration such as "90s", "15m", "6h" or "2d"'
SIZE = 'a size such as "500KB" or "25MB"'
RATE = 'a rate such as "20/h", "5/m" or "100/d", with at least 1'
ADDRESS = 'an e-mail address such as "support@helpdesk.example"'
DOMAIN = 'a mail domain such as "dinas.example"'
LISTEN = 'an address and a port such as "127.0.0.1:8080"'
ENDPOINT = 'an address and a port such as "127.0.0.1:2424", or "unix:/run/mailbot/lmtp.sock"'
TIME_OF_DAY = 'a time of day such as "08:00"'
DAY = 'a date such as "2026-03-20"'

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_SIZES = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
# The local part without quoted strings (RFC 5322 §3.2.3 dot-atom), which no desk or agent uses.
_DOT_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_EMAIL = re.compile(rf"{_DOT_ATOM}@{_LABEL}(?:\.{_LABEL})*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Rate:
    """A number per time span: `Rate(20, timedelta(hours=1))` for "20/h"."""

    count: int
    per: timedelta

    def __str__(self) -> str:
        span = duration_text(self.per)
        return f"{self.count}/{span[1:] if span[0] == '1' and not span[1].isdigit() else span}"


@dataclass(frozen=True, slots=True)
class Listen:
    """An address and port to listen on. An IPv6 address is without its brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class UnixSocket:
    """The path of a Unix socket to listen on."""

    path: Path

    def __str__(self) -> str:
        return f"unix:{self.path}"


def read_duration(found: object) -> timedelta:
    """Read `"90s"`, `"15m"`, `"6h"`, `"2d"`, and sums such as `"1h30m"`; zero is not allowed."""
    if isinstance(found, timedelta):
        return found
    if not isinstance(found, str) or not re.fullmatch(r"(?:[0-9]{1,9}[smhd]){1,4}", found):
        raise ValueError(DURATION)
    seconds = sum(int(count) * _UNITS[unit] for count, unit in re.findall(r"([0-9]+)([smhd])", found))
    if seconds == 0 or seconds > 3650 * 86400:
        raise ValueError(f"{DURATION}, more than 0 and at most ten years")
    return timedelta(seconds=seconds)


def duration_text(span: timedelta) -> str:
    """Write a duration with one unit, the shortest way: `timedelta(hours=48)` → "2d", 90 minutes → "90m"."""
    seconds = int(span.total_seconds())
    unit = next(unit for unit in ("d", "h", "m", "s") if seconds % _UNITS[unit] == 0)
    return f"{seconds // _UNITS[unit]}{unit}"


def read_size(found: object) -> int:
    """Read `"25MB"` as 25 000 000 bytes; KiB, MiB, GiB count by 1024; case and a blank are ignored."""
    if isinstance(found, int) and not isinstance(found, bool):
        return found
    match = re.fullmatch(r"([0-9]{1,12}) ?([KMG]?I?B)", found.upper()) if isinstance(found, str) else None
    if not match or match[2] not in _SIZES:
        raise ValueError(SIZE)
    return int(match[1]) * _SIZES[match[2]]


def read_rate(found: object) -> Rate:
    """Read `"20/h"` as 20 per hour, `"5/15m"` as 5 per quarter of an hour."""
    if isinstance(found, Rate):
        return found
    match = re.fullmatch(r"([0-9]{1,9}) ?/ ?([0-9]{0,6})([smhd])", found) if isinstance(found, str) else None
    if not match or int(match[1]) < 1 or match[2] == "0":
        raise ValueError(RATE)
    return Rate(int(match[1]), timedelta(seconds=int(match[2] or 1) * _UNITS[match[3]]))


def read_time(found: object) -> time:
    """Read `"08:00"` or TOML's own 08:00:00; "24:00" is not a time, the day ends at "23:59"."""
    if isinstance(found, time):
        return found
    if not isinstance(found, str) or not re.fullmatch(r"(?:[01]?[0-9]|2[0-3])[:.][0-5][0-9]", found):
        raise ValueError(TIME_OF_DAY)
    hour, minute = re.split("[:.]", found)
    return time(int(hour), int(minute))


def read_day(found: object) -> date:
    """Read `"2026-03-20"` or TOML's own 2026-03-20."""
    if isinstance(found, date) and not isinstance(found, datetime):
        return found
    if not isinstance(found, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", found):
        raise ValueError(DAY)
    try:
        return date.fromisoformat(found)
    except ValueError as error:
        raise ValueError(f"{DAY} ({error})") from error


def read_address(found: object) -> str:
    """Read an e-mail address as `local@domain`, without a display name; lower-cased."""
    if not isinstance(found, str) or len(found) > 254 or not _EMAIL.fullmatch(found):
        raise ValueError(ADDRESS)
    if len(found.partition("@")[0]) > 64:
        raise ValueError(f"{ADDRESS}, at most 64 characters before the @")  # RFC 5321 §4.5.3.1.1
    return found.lower()


def read_mailbox_name(found: object) -> str:
    """Read the short name of a mailbox, usable in the names of credentials and environment variables."""
    if not isinstance(found, str) or not re.fullmatch(r"[a-z0-9](?:_?[a-z0-9-]){0,31}", found):
        raise ValueError('a short name of a-z, 0-9, "-" and single "_", such as "dapodik"')
    return found


def read_domain(found: object) -> str:
    """Read a mail domain such as `"dinas.example"`; lower-cased."""
    if not isinstance(found, str) or len(found) > 253 or not re.fullmatch(rf"{_LABEL}(?:\.{_LABEL})+", found):
        raise ValueError(DOMAIN)
    return found.lower()


def read_listen(found: object) -> Listen:
    """Read `"127.0.0.1:8080"`, `"[::1]:8080"`, `"localhost:8080"`."""
    if isinstance(found, Listen):
        return found
    pattern = r"(\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})"
    match = re.fullmatch(pattern, found) if isinstance(found, str) else None
    if not match or int(match[2]) > 65535:
        raise ValueError(LISTEN)
    return Listen(match[1].strip("[]"), int(match[2]))


def read_endpoint(found: object) -> Listen | UnixSocket:
    """Read `"127.0.0.1:2424"` or `"unix:/run/mailbot/lmtp.sock"`."""
    if isinstance(found, UnixSocket):
        return found
    if isinstance(found, str) and found.startswith("unix:"):
        path = found.removeprefix("unix:")
        # At most 107 bytes (unix(7)).
        if not path.startswith("/") or _CONTROL.search(path) or len(path.encode()) > 107:
            raise ValueError(ENDPOINT)
        return UnixSocket(Path(path))
    try:
        return read_listen(found)
    except ValueError:
        raise ValueError(ENDPOINT) from None


def read_path(found: object) -> Path:
    """Read the name of a file or folder; `~` is the home of the user who runs mailbot."""
    if isinstance(found, Path):
        return found
    if not isinstance(found, str) or not found or "\0" in found:
        raise ValueError("the name of a file or folder")
    return Path(found).expanduser()


def read_file_name(found: object) -> str:
    """Read like read_path, as text, and "" for none."""
    return "" if found == "" else str(read_path(found))


def read_zone(found: object) -> str:
    """Read the name of a time zone that this machine knows."""
    if not isinstance(found, str):
        raise ValueError('a time zone such as "Asia/Jakarta"')
    try:
        ZoneInfo(found)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(
            'a time zone that this machine knows, such as "Asia/Jakarta" (WIB), "Asia/Makassar" (WITA), '
            '"Asia/Jayapura" (WIT)'
        ) from error
    return found


def read_language(found: object) -> str:
    """Read "id" or "en"."""
    if found not in ("id", "en"):
        raise ValueError('"id" (Indonesian) or "en" (English)')
    return str(found)


def read_country(found: object) -> str:
    """Read the two letters of a country whose holidays are known, or "" for none."""
    if not isinstance(found, str):
        raise ValueError('a country such as "ID", or "" for none')
    code = found.upper()
    if code not in ("", "ID"):  # the default needs no import of the package, which is large
        import holidays

        if code not in holidays.list_supported_countries():
            raise ValueError('the two letters of a country that the package "holidays" knows, as "ID", or "" for none')
    return code


def empty_is_none(found: object) -> object:
    """Read "" as "not set", since TOML has no null."""
    return None if found == "" else found


def one_line(found: str) -> str:
    """Check text for a header or a log line: no line breaks, no control characters."""
    if _CONTROL.search(found):
        raise ValueError("text on one line, without control characters")
    return found


def web_address(found: str) -> str:
    """Check an http(s) address; "" is allowed."""
    if found and not re.fullmatch(r"https?://[^\s/]+\S*", found):
        raise ValueError('a web address such as "https://bantuan.example/status", or ""')
    return found.rstrip("/")


def read_extension(found: object) -> str:
    """Read a file extension such as `".xlsm"`; lower-cased."""
    if not isinstance(found, str) or not re.fullmatch(r"\.[A-Za-z0-9_-]{1,30}", found):
        raise ValueError('a file extension with its dot, such as ".xlsm"')
    return found.lower()


def read_refused(found: object) -> str:
    """Read a kind of files, or an extension with its dot."""
    if found in REFUSED_KINDS:
        return str(found)
    try:
        return read_extension(found)
    except ValueError as error:
        raise ValueError(f'{", ".join(REFUSED_KINDS)}, or an extension with its dot, such as ".xlsm"') from error


def read_scanner(found: object) -> str:
    """Read `"unix:/run/clamav/clamd.ctl"`, `"127.0.0.1:3310"`, or "" for none."""
    if found == "" or (isinstance(found, str) and re.fullmatch(r"unix:/[^\0\r\n]{1,100}", found)):
        return str(found)
    try:
        where = read_listen(found)
    except ValueError as error:
        raise ValueError('"unix:/run/clamav/clamd.ctl", "127.0.0.1:3310", or "" for none') from error
    return str(where)


def words(found: str) -> str:
    """Check like one_line, and that it is not empty."""
    if not found.strip():
        raise ValueError("text that is not empty")
    return one_line(found)


# TOML has types: "993" is not 993 there. The texts of the environment were converted before (config.layers).
Flag = Annotated[bool, Strict()]
FileExtension = Annotated[str, BeforeValidator(read_extension)]
RefusedFiles = Annotated[str, BeforeValidator(read_refused)]
Scanner = Annotated[str, BeforeValidator(read_scanner)]
Whole = Annotated[int, Strict()]
Port = Annotated[int, Strict(), Field(ge=1, le=65535)]
Line = Annotated[str, AfterValidator(one_line)]
Words = Annotated[str, AfterValidator(words)]
WebAddress = Annotated[str, AfterValidator(web_address)]
Duration = Annotated[timedelta, BeforeValidator(read_duration), PlainSerializer(duration_text)]
OptionalDuration = Annotated[Duration | None, BeforeValidator(empty_is_none)]
Size = Annotated[int, BeforeValidator(read_size)]
RateOf = Annotated[Rate, BeforeValidator(read_rate), PlainSerializer(str)]
TimeOfDay = Annotated[time, BeforeValidator(read_time)]
Day = Annotated[date, BeforeValidator(read_day)]
Email = Annotated[str, BeforeValidator(read_address)]
OptionalEmail = Annotated[str, BeforeValidator(lambda found: "" if found == "" else read_address(found))]
MailboxName = Annotated[str, BeforeValidator(read_mailbox_name)]
Domain = Annotated[str, BeforeValidator(read_domain)]
FilePath = Annotated[Path, BeforeValidator(read_path), PlainSerializer(str)]
OptionalFilePath = Annotated[FilePath | None, BeforeValidator(empty_is_none)]
OptionalFileName = Annotated[str, BeforeValidator(read_file_name)]
OptionalListen = Annotated[Annotated[Listen, BeforeValidator(read_listen)] | None, BeforeValidator(empty_is_none)]
OptionalEndpoint = Annotated[
    Annotated[Listen | UnixSocket, BeforeValidator(read_endpoint)] | None, BeforeValidator(empty_is_none)
]
ListenOn = Annotated[Listen, BeforeValidator(read_listen)]
Zone = Annotated[str, BeforeValidator(read_zone)]
Language = Annotated[str, BeforeValidator(read_language)]
Country = Annotated[str, BeforeValidator(read_country)]


def is_loopback(host: str) -> bool:
    """Tell whether `host` is this machine itself, judged by the text alone (no DNS query)."""
    if host.lower().rstrip(".") in {"localhost", "localhost.localdomain", "ip6-localhost"}:
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
