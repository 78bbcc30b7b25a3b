r"""Which mails wait, and their bytes, within a memory budget.

In: the selected folder of a `Client`. Out: UIDs, and lists of `FetchedMail`. Standards: RFC 3501 §6.4.4, §6.4.5,
§6.4.8, RFC 4731 (ESEARCH: the answer as ranges).
Never: sets \Seen (BODY.PEEK only); holds more than the budget and one mail; trusts a UID that was not requested.

The fast path: imapclient's lexer examines every byte of an answer's text and costs 0.12 ms of CPU per mail, imaplib's
raw answer and one regular expression 0.04 ms (500 mails, 50 a command). Only answers of exactly the expected shape take
it; any other is passed as a whole to imapclient's parser.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from imapclient.response_parser import parse_fetch_response

from mailbot.mail.fetched import FetchedMail
from mailbot.transport.imap.connection import ALLOWANCE, Client

# UIDs in one command: a line of about 3,500 bytes at most; RFC 7162 §4 lets servers refuse more than 8,192.
UIDS_PER_COMMAND = 500
# A server that claims more mails in a folder is broken, and their list would fill the memory.
MOST_MAILS = 4_000_000
# How much of the header of a mail that is too large is read.
HEADER_LIMIT = 256 * 1024
# The expected size of a few header fields; and how many mails per command, since servers open a file for each.
HEADER_BYTES, HEADS_PER_COMMAND = 4096, 100
# This many mails or fewer are requested together with their sizes, this many bytes of each.
FEW, SMALL = 4, 64 * 1024
# A link slower than this, bytes a second, counts as broken.
SLOWEST = 16 * 1024

_FAST_HEAD = re.compile(
    rb'\d+ \((?:UID (?P<uid>\d+) ?|INTERNALDATE "(?P<date>[^"]{20,40})" ?|RFC822\.SIZE (?P<size>\d+) ?'
    rb'|FLAGS \([^()"]*\) ?){1,5}'
    rb"BODY\[(?:HEADER)?\](?:<0>)? \{\d+\}"
)
_UID = re.compile(rb"\bUID (\d+)")
_MONTHS = {
    name: number
    for number, name in enumerate(
        (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"), 1
    )
}
_DATE = re.compile(rb" ?(\d{1,2})-([A-Z][a-z]{2})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)")


def uid_set(uids: Iterable[int]) -> str:
    """Return a sequence set (RFC 3501 §9) with runs written as ranges: [1, 2, 3, 7] → "1:3,7"."""
    parts: list[str] = []
    first = last = None
    for uid in sorted(set(uids)):
        if last is not None and uid == last + 1:
            last = uid
            continue
        if first is not None:
            parts.append(f"{first}:{last}" if last != first else str(first))
        first = last = uid
    if first is not None:
        parts.append(f"{first}:{last}" if last != first else str(first))
    return ",".join(parts)


def chunks(uids: Sequence[int], size: int = UIDS_PER_COMMAND) -> Iterator[Sequence[int]]:
    """Split `uids` into pieces of at most `size`."""
    return (uids[start : start + size] for start in range(0, len(uids), size))


def search(client: Client, criteria: str) -> list[int]:
    """Return the UIDs that match `criteria` (IMAP syntax, ASCII), ascending."""
    wire = client.wire
    if not client.has_capability("ESEARCH"):
        return sorted(client.search(criteria))
    # RFC 4731 §3.1: "* ESEARCH (TAG "x") UID ALL 1:17,21", without ALL if nothing was found.
    wire.untagged_responses.pop("ESEARCH", None)
    kind, words = wire.uid("SEARCH", "RETURN (ALL)", criteria)
    if kind != "OK":
        raise wire.error(f"SEARCH: {words!r}")
    found: set[int] = set()
    for line in wire.untagged_responses.pop("ESEARCH", []):
        ranges = re.search(rb"\bALL ([\d:,]+)", line if isinstance(line, bytes) else line[0])
        for part in ranges[1].split(b",") if ranges else ():
            low, _, high = part.partition(b":")
            first, last = sorted((int(low), int(high or low)))
            if last - first + len(found) > MOST_MAILS:
                raise wire.error(f"the server claims more than {MOST_MAILS} mails")
            found.update(range(first, last + 1))
    return sorted(found)


def sizes(client: Client, uids: Sequence[int]) -> dict[int, int]:
    """Return RFC822.SIZE of each mail that still exists."""
    found: dict[int, int] = {}
    requested = set(uids)
    for some in chunks(uids):
        for data in _fetch(client, some, "(UID RFC822.SIZE)"):
            uid, size = re.search(rb"UID (\d+)", data), re.search(rb"RFC822\.SIZE (\d+)", data)
            if uid and size and int(uid[1]) in requested:
                found[int(uid[1])] = int(size[1])
    return found


def _fetch(client: Client, uids: Sequence[int], items: str) -> Iterator[bytes]:
    """Yield FETCH answers that contain no literal, as text."""
    for entry in _raw_fetch(client, uids, items):
        if isinstance(entry, bytes):
            yield entry


def _raw_fetch(client: Client, uids: Sequence[int], items: str, expected: int = 0) -> list[Any]:
    """Return what imaplib gives for UID FETCH: bytes, or (text, literal) followed by the rest of the text as bytes."""
    wire = client.wire
    wire.untagged_responses.pop("FETCH", None)
    wire.allowance = ALLOWANCE + expected / SLOWEST
    try:
        kind, data = wire.uid("FETCH", uid_set(uids), items)
    finally:
        wire.allowance = ALLOWANCE
    if kind != "OK":
        raise wire.error(f"FETCH: {data!r}")
    return [entry for entry in data if entry is not None]


def small_ones(client: Client, uidvalidity: int, uids: Sequence[int], too_large: int) -> list[FetchedMail]:
    """Fetch the first of a few mails in one round trip, up to one that is large, gone, or answered unexpectedly.

    With its size, the beginning of each is fetched, which is all of a small mail (RFC 3501 §6.4.5, partial FETCH).
    """
    data = _raw_fetch(client, uids, f"(UID RFC822.SIZE INTERNALDATE BODY.PEEK[]<0.{SMALL}>)", SMALL * len(uids))
    found = _fast(data) or {}
    small: list[FetchedMail] = []
    for uid in sorted(set(uids)):
        mail = found.get(uid)
        if mail is None or mail.size is None or not max(mail.size, len(mail.raw)) < min(SMALL, too_large + 1):
            break
        small.append(FetchedMail(uidvalidity, uid, mail.raw, mail.size, mail.date, False))
    return small


def heads(client: Client, uids: Sequence[int], fields: Sequence[str]) -> dict[int, bytes]:
    """Fetch these header fields of each mail that still exists (RFC 3501 §6.4.5)."""
    found: dict[int, bytes] = {}
    wanted = f"(UID BODY.PEEK[HEADER.FIELDS ({' '.join(fields)})])"
    for some in chunks(uids, HEADS_PER_COMMAND):
        data = _raw_fetch(client, some, wanted, HEADER_BYTES * len(some))
        for entry, tail in zip(data, [*data[1:], b""], strict=True):
            if isinstance(entry, tuple):  # the UID may come before the literal or after it
                uid = _UID.search(entry[0]) or (_UID.search(tail) if isinstance(tail, bytes) else None)
                if uid:
                    found[int(uid[1])] = entry[1]
    return found


def batches(waiting: dict[int, int], most_bytes: int, most_mails: int, too_large: int) -> Iterator[list[int]]:
    """Group UIDs so that each group stays within the budget; a mail above it, or a too large one, is a group alone."""
    group: list[int] = []
    total = 0
    for uid, size in waiting.items():
        cost = min(size, HEADER_LIMIT) if size > too_large else size
        alone = size > too_large
        if group and (alone or total + cost > most_bytes or len(group) >= most_mails):
            yield group
            group, total = [], 0
        if alone:
            yield [uid]
            continue
        group.append(uid)
        total += cost
    if group:
        yield group


def fetch_batch(
    client: Client, uidvalidity: int, uids: Sequence[int], size_of: dict[int, int], partial: bool
) -> list[FetchedMail]:
    """Fetch the mails of one batch, ascending by UID; those that vanished meanwhile are left out."""
    what = f"BODY.PEEK[HEADER]<0.{HEADER_LIMIT}>" if partial else "BODY.PEEK[]"
    expected = HEADER_LIMIT if partial else sum(size_of[uid] for uid in uids)
    data = _raw_fetch(client, uids, f"(UID INTERNALDATE {what})", expected)
    found = _fast(data)
    if found is None:
        found = _any_shape(data)
    return [
        FetchedMail(uidvalidity, uid, found[uid].raw, size_of[uid], found[uid].date, partial)
        for uid in sorted(set(uids))
        if uid in found
    ]


class _Fetched(NamedTuple):
    raw: bytes
    date: datetime | None
    size: int | None = None


def _fast(data: Sequence[Any]) -> dict[int, _Fetched] | None:
    """Parse answers of exactly the expected shape, by UID; return None if one has another."""
    found: dict[int, _Fetched] = {}
    if len(data) % 2:
        return None
    for head, tail in zip(data[::2], data[1::2], strict=True):
        if not isinstance(head, tuple) or tail != b")":
            return None
        shape = _FAST_HEAD.fullmatch(head[0])
        if shape is None or shape["uid"] is None:
            return None
        size = int(shape["size"]) if shape["size"] else None
        found[int(shape["uid"])] = _Fetched(head[1], _internal_date(shape["date"]), size)
    return found


def _any_shape(data: Sequence[Any]) -> dict[int, _Fetched]:
    """Parse answers by imapclient: other orders, quoted strings, unsolicited flags in between."""
    found: dict[int, _Fetched] = {}
    for uid, items in parse_fetch_response(list(data), normalise_times=False, uid_is_key=True).items():
        raw = next((items[key] for key in items if key.startswith(b"BODY[")), None)
        if isinstance(raw, bytes):  # NIL, or only flags: expunged meanwhile, or unsolicited
            date = items.get(b"INTERNALDATE")
            found[int(uid)] = _Fetched(raw, date.astimezone(UTC) if isinstance(date, datetime) else None)
    return found


def _internal_date(text: bytes | None) -> datetime | None:
    """Parse an INTERNALDATE (RFC 3501 §9, date-time) as aware UTC; return None if it is invalid."""
    shape = _DATE.fullmatch(text or b"")
    if shape is None or shape[2] not in _MONTHS:
        return None
    day, year, hour, minute, second = (int(shape[n]) for n in (1, 3, 4, 5, 6))
    ahead = timedelta(hours=int(shape[8]), minutes=int(shape[9]))
    try:
        local = datetime(year, _MONTHS[shape[2]], day, hour, minute, min(second, 59), tzinfo=UTC)
        return local - ahead if shape[7] == b"+" else local + ahead
    except (ValueError, OverflowError):
        return None
