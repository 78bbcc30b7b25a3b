"""Where a person is found in a desk's database: what `personal` gives out, and what `erasure` removes.

In: an address, lower case. Out: row ids. A person's traces are every ticket of theirs, whole; on tickets of others what
they wrote themselves; every mail that came from them, or to one of their tickets; every mail that went to them, or told
somebody what they wrote. What others wrote about them on tickets of their own can't be found this way, and stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, select

from mailbot.store.quarantine_lists import mails_about
from mailbot.store.tables import (
    INBOUND,
    MESSAGE,
    OUTBOX,
    PARTICIPANT,
    TICKET,
)
from mailbot.ticket.ticket import Role

_TOGETHER = 500

T = TypeVar("T")

# An address may be an agent's too: what was written as an agent is the desk's.
_AS_A_PERSON = MESSAGE.c.author_role.in_((Role.REQUESTER.value, Role.PARTICIPANT.value))


@dataclass(frozen=True, slots=True)
class Traces:
    """Row ids. `own` tickets are theirs, on `shared` ones they wrote or take part; `addresses` are all whom the erasing

    of their tickets concerns: themselves and who took part there. `raws` are digests of raw mail.
    """

    email: str
    addresses: frozenset[str]
    own: tuple[int, ...]
    shared: tuple[int, ...]
    messages: tuple[int, ...]
    inbound: tuple[int, ...]
    outbox: tuple[int, ...]
    raws: tuple[str, ...]


def find_traces(connection: Connection, desk_id: int, email: str) -> Traces:
    """Everything of one person. Reads all of `inbound` (its senders have no index: this is asked once a year)."""
    own = _ids(connection, select(TICKET.c.id).where(TICKET.c.desk_id == desk_id, TICKET.c.requester_email == email))
    elsewhere = MESSAGE.c.by_other & (MESSAGE.c.desk_id == desk_id) & (MESSAGE.c.author == email)
    by_them = select(MESSAGE.c.ticket_id).where(elsewhere, _AS_A_PERSON)
    takes_part = select(PARTICIPANT.c.ticket_id).where(PARTICIPANT.c.desk_id == desk_id, PARTICIPANT.c.email == email)
    shared = (_ids(connection, by_them) | _ids(connection, takes_part)) - own
    others = _among(connection, select(PARTICIPANT.c.email), PARTICIPANT.c.ticket_id, own)

    columns = select(MESSAGE.c.id, MESSAGE.c.inbound_id, MESSAGE.c.raw_sha256)
    messages = [
        *_among(connection, columns, MESSAGE.c.ticket_id, own),
        *_among(connection, columns.where(MESSAGE.c.author == email, _AS_A_PERSON), MESSAGE.c.ticket_id, shared),
    ]
    message_ids = {row.id for row in messages}
    columns = select(INBOUND.c.id, INBOUND.c.raw_sha256)
    from_them = columns.where(INBOUND.c.desk_id == desk_id, INBOUND.c.sender == email)
    acts = select(MESSAGE.c.inbound_id).where(elsewhere, ~_AS_A_PERSON)
    as_agent = set(connection.scalars(acts))
    mails = [
        *(row for row in connection.execute(from_them) if row.id not in as_agent),
        *_among(connection, columns, INBOUND.c.ticket_id, own),
        *_among(connection, columns, INBOUND.c.id, {row.inbound_id for row in messages} - {None}),
    ]
    mail_ids = {row.id for row in mails}
    columns = select(OUTBOX.c.id, OUTBOX.c.message_row_id, OUTBOX.c.inbound_id)
    about = [
        row
        for row in _among(connection, columns, OUTBOX.c.ticket_id, shared)
        if row.message_row_id in message_ids or row.inbound_id in mail_ids
    ]
    sent = [
        *connection.execute(columns.where(OUTBOX.c.desk_id == desk_id, OUTBOX.c.recipient == email)),
        *_among(connection, columns, OUTBOX.c.ticket_id, own),
        *about,
    ]
    told = mails_about(connection, desk_id, mail_ids)
    return Traces(
        email=email,
        addresses=frozenset({email, *(row.email for row in others)}),
        own=tuple(sorted(own)),
        shared=tuple(sorted(shared)),
        messages=tuple(sorted(message_ids)),
        inbound=tuple(sorted(mail_ids)),
        outbox=tuple(sorted({row.id for row in sent} | set(told))),
        raws=tuple(sorted({row.raw_sha256 for row in (*messages, *mails)} - {""})),
    )


def in_parts(whole: Sequence[T]) -> Iterator[list[T]]:
    """A long list of ids in lists that a database takes as parameters of one statement."""
    for start in range(0, len(whole), _TOGETHER):
        yield list(whole[start : start + _TOGETHER])


def _ids(connection: Connection, query: Any) -> set[int]:
    return set(connection.scalars(query))


def _among(connection: Connection, query: Any, column: ColumnElement[Any], wanted: Iterable[int]) -> list[Any]:
    """The rows of a query whose `column` is among `wanted`."""
    return [row for some in in_parts(sorted(wanted)) for row in connection.execute(query.where(column.in_(some)))]
