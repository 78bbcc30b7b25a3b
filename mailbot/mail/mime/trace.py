"""Date and Received fields, and mail-parser's second opinion on unusual headers.

In: header fields, unfolded and undecoded. Out: aware UTC times, `Hop`s, and an `Opinion`. Never raises.

Nearly every header has the plain form that is read here in microseconds. The others (nested comments, quoted strings
in a trace, an ambiguous From, duplicate fields, invalid dates) are given to mail-parser, whose tokenizers were built
for hostile mail, as a message of those fields only: nothing is parsed twice, and its 0.3 ms to 2 ms affect few mails.
Where its reading of From, or that of the standard library, differs from ours, a defect says so to the trust rules.

Standards: RFC 5322 §3.3 and §4.3 (dates), RFC 5321 §4.4 (Received).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import Message
from email.utils import getaddresses, parsedate_tz
from inspect import signature

from mailbot.mail.message import Hop
from mailbot.mail.mime.address import addr_spec
from mailbot.mail.mime.header import Field

MAX_HOPS = 50
_MAX_VALUE = 4000
_MAX_ASKED = 40
_MAX_OFFSET = 14 * 3600 + 60  # the largest offset of a time zone is +14:00

_COMMENT = re.compile(r"\([^()]*\)")
_BRACKETED = re.compile(r"<[^<>\s]*>")
_CLAUSE = re.compile(r"(?:^|\s)(from|by)\s+([^\s;]{1,300})", re.I)
_ODD = frozenset('()"<\\')
_CODES = {"AddressHeaderDefect": "bad-address", "ReceivedHeaderDefect": "bad-received", "DateHeaderDefect": "odd-date"}
# Later releases of Python reject malformed fields as a whole; many programs read them as the earlier ones do.
_LENIENT: dict[str, bool] = {"strict": False} if "strict" in signature(getaddresses).parameters else {}
_ASKED = frozenset(("from", "sender", "reply-to", "date", "received"))


@dataclass(frozen=True, slots=True)
class Opinion:
    """How mail-parser reads the unusual fields."""

    authors: tuple[str, ...] | None = None  #: Addresses; None if it failed.
    hops: tuple[Hop, ...] = ()
    defects: tuple[str, ...] = ()  #: As codes.


def parse_date(value: str) -> datetime | None:
    """Return the time of a date-time field, aware UTC; None if it can't be read."""
    plain = _COMMENT.sub(" ", value[:200]).strip()
    if not plain:
        return None
    try:
        parts = parsedate_tz(plain)
        if parts is not None and abs(parts[9] or 0) <= _MAX_OFFSET:
            # RFC 5322 §3.3 allows a leap second; -0000 and a missing zone are taken as UTC.
            return datetime(*parts[:5], min(parts[5], 59), tzinfo=UTC) - timedelta(seconds=parts[9] or 0)
        iso = datetime.fromisoformat(plain)  # ISO 8601, as some web forms write it
        return iso.astimezone(UTC) if iso.tzinfo else iso.replace(tzinfo=UTC)
    except (ValueError, OverflowError, IndexError, TypeError):  # parsedate_tz raises any of these
        return None


def read_hop(value: str) -> Hop | None:
    """Return the hop of a Received field of plain form, None for any other (then ask mail-parser)."""
    plain = value[:_MAX_VALUE]
    for _ in range(2):  # comments, and comments in comments
        if "(" in plain:
            plain = _COMMENT.sub(" ", plain)
    route, semicolon, stamp = plain.rpartition(";")
    route = _BRACKETED.sub(" ", route)  # "for <…>", "id <…>"
    if not semicolon or not _ODD.isdisjoint(route):
        return None
    clauses = {name.lower(): host for name, host in reversed(_CLAUSE.findall(route))}
    at = parse_date(stamp)
    if at is None:
        return None  # a date without a clause is enough: "(qmail 5683 invoked by uid 89); …"
    return Hop(by=clauses.get("by", "").lower(), from_=clauses.get("from", "").lower(), at=at)


def ask_mail_parser(fields: list[Field]) -> Opinion:
    """Return how mail-parser reads authors, dates and trace."""
    from mailparser import MailParser

    message = Message()
    for each in [each for each in fields if each.key in _ASKED][:_MAX_ASKED]:
        message.set_raw(each.name, each.value[:_MAX_VALUE])
    try:
        parser = MailParser(message)
    except Exception as fault:  # noqa: BLE001 - it is asked about the worst headers; then only our reading counts
        return Opinion(defects=(f"mail-parser-fault:{type(fault).__name__}",))
    authors: list[str] = []
    for each in fields:
        if each.key == "from" and not authors:
            authors = [addr_spec(address) for _, address in parser.from_ if "@" in address]
    hops = tuple(_hop(each) for each in reversed(parser.received))  # it begins at the sender, we at the recipient
    found = sorted(str(each) for each in parser.defects_categories)
    return Opinion(tuple(authors), hops, tuple(_CODES.get(each, each) for each in found))


def _hop(clauses: dict[str, object]) -> Hop:
    stamp = str(clauses.get("date_utc") or "")
    return Hop(
        by=str(clauses.get("by") or "").partition(" ")[0].lower(),
        from_=str(clauses.get("from") or "").partition(" ")[0].lower(),
        at=parse_date(stamp) if stamp else None,
    )


def standard_authors(values: list[str]) -> set[str]:
    """Return the addresses that the standard library finds in From fields, as simple programs do."""
    try:
        pairs = getaddresses([value[:_MAX_VALUE] for value in values], **_LENIENT)
    except (ValueError, IndexError, RecursionError):  # comments nested a thousand deep
        return set()
    return {spec for _, address in pairs if "@" in address and (spec := addr_spec(address))}
