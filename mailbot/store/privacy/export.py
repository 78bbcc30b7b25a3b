"""Export of a person's data: Article 15 of the GDPR, Article 6 of Indonesia's UU 27/2022.

In: an address. Out: one dictionary for JSON: their tickets in full (with internal notes: the admin decides which to
hand out), what they wrote on tickets of others, their raw mail (base64), and what was sent to them.
"""

from __future__ import annotations

import base64
from datetime import UTC, tzinfo
from typing import Any

from sqlalchemy import Connection, select

from mailbot.runtime.clock import rfc3339, rfc3339_or_null
from mailbot.store import raw_mail
from mailbot.store.engine import Store
from mailbot.store.privacy.traces import (
    Traces,
    find_traces,
    in_parts,
)
from mailbot.store.queries.ticket import Message, show_ticket
from mailbot.store.tables import (
    INBOUND,
    MESSAGE,
    OUTBOX,
    TICKET,
)


def export_requester(store: Store, email: str, *, zone: tzinfo = UTC) -> dict[str, Any]:
    """Return everything about a person; all lists are empty where the desk doesn't know them."""
    email = email.strip().lower()
    with store.reading() as connection:
        traces = find_traces(connection, store.desk_id, email)
        numbers = _numbers(connection, traces)
        found = {
            "email": email,
            "exported_at": rfc3339(store.clock.now(), zone),
            "takes_part_in": [numbers[ticket] for ticket in traces.shared],
            "messages_elsewhere": _messages_elsewhere(connection, traces, numbers, zone),
            "mails": _mails(connection, traces, zone),
            "sent": _sent(connection, traces, zone),
        }
    own = (show_ticket(store, numbers[ticket]) for ticket in traces.own)
    return found | {"tickets": [ticket.as_json(zone) for ticket in own if ticket is not None]}


def _numbers(connection: Connection, traces: Traces) -> dict[int, int]:
    query = select(TICKET.c.id, TICKET.c.number)
    some = in_parts(traces.own + traces.shared)
    return {row.id: row.number for ids in some for row in connection.execute(query.where(TICKET.c.id.in_(ids)))}


def _messages_elsewhere(
    connection: Connection, traces: Traces, numbers: dict[int, int], zone: tzinfo
) -> list[dict[str, Any]]:
    """Return their own messages on tickets of others."""
    query = select(MESSAGE.c.ticket_id, *Message.columns(MESSAGE)).where(MESSAGE.c.author == traces.email)
    return [
        {"ticket": numbers[row.ticket_id], **Message.from_row(row).as_json(zone)}
        for some in in_parts(traces.shared)
        for row in connection.execute(query.where(MESSAGE.c.ticket_id.in_(some)).order_by(MESSAGE.c.id))
    ]


def _mails(connection: Connection, traces: Traces, zone: tzinfo) -> list[dict[str, Any]]:
    """Return the raw mail that they sent; of others' mail on their tickets they get the messages only."""
    query = select(INBOUND).where(INBOUND.c.sender == traces.email)
    found = []
    for some in in_parts(traces.inbound):
        for row in connection.execute(query.where(INBOUND.c.id.in_(some)).order_by(INBOUND.c.id)).all():
            raw = raw_mail.get(connection, row.raw_sha256)
            found.append(
                {
                    "received_at": rfc3339(row.received_at, zone),
                    "state": row.state,
                    "message_id": row.message_id or None,
                    "subject": row.subject,
                    "sha256": row.raw_sha256 or None,
                    "raw_base64": None if raw is None else base64.b64encode(raw).decode("ascii"),
                }
            )
    return found


def _sent(connection: Connection, traces: Traces, zone: tzinfo) -> list[dict[str, Any]]:
    """Return the mail that was sent to them."""
    columns = (
        OUTBOX.c.kind,
        OUTBOX.c.message_id,
        OUTBOX.c.subject,
        OUTBOX.c.text,
        OUTBOX.c.created_at,
        OUTBOX.c.sent_at,
    )
    query = select(*columns).where(OUTBOX.c.recipient == traces.email)
    return [
        {
            "kind": row.kind,
            "message_id": row.message_id,
            "subject": row.subject,
            "text": row.text,
            "created_at": rfc3339(row.created_at, zone),
            "sent_at": rfc3339_or_null(row.sent_at, zone),
        }
        for some in in_parts(traces.outbox)
        for row in connection.execute(query.where(OUTBOX.c.id.in_(some)).order_by(OUTBOX.c.id))
    ]
