"""The rows of the database that concern a person: what `export` returns, and what `erasure` removes.

In: an address, lower case. Out: row ids. A person's traces are: their own tickets in full; what they wrote on tickets
of others; mail from them or to one of their tickets; mail that was sent to them, or that told others what they wrote.
What others wrote about them on tickets of their own can't be found this way, and stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, TypeVarTuple

from sqlalchemy import ColumnElement, Connection, Row, Select, select

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
Ts = TypeVarTuple("Ts")

# An address may be an agent's too: what was written as an agent belongs to the desk.
_AS_A_PERSON = MESSAGE.c.author_role.in_((Role.REQUESTER.value, Role.PARTICIPANT.value))


@dataclass(frozen=True, slots=True)
class Traces:
    """What concerns one person, as row ids."""

    email: str
    addresses: frozenset[str]  #: their own, and those of all participants of their tickets
    own: tuple[int, ...]  #: tickets of which they are the requester
    shared: tuple[int, ...]  #: tickets of others on which they wrote or take part
    messages: tuple[int, ...]
    inbound: tuple[int, ...]
    outbox: tuple[int, ...]
    raws: tuple[str, ...]  #: digests of raw mail


def find_traces(connection: Connection, desk_id: int, email: str) -> Traces:
    """Find everything of one person. Reads all of `inbound`, whose senders have no index: this is a rare request."""
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
    as_agent = set(connection.scalars(select(MESSAGE.c.inbound_id).where(elsewhere, ~_AS_A_PERSON)))
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
    """Split a long list of ids into lists short enough for the parameters of one statement."""
    for start in range(0, len(whole), _TOGETHER):
        yield list(whole[start : start + _TOGETHER])


def _ids(connection: Connection, query: Select[int]) -> set[int]:
    return set(connection.scalars(query))


def _among(
    connection: Connection, query: Select[*Ts], column: ColumnElement[Any], wanted: Iterable[int]
) -> list[Row[*Ts]]:
    """Return the rows of a query whose `column` is among `wanted`."""
    return [row for some in in_parts(sorted(wanted)) for row in connection.execute(query.where(column.in_(some)))]
