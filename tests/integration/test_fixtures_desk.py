"""The same mails (fixtures/emails) through a whole desk: what the service makes of them is what the pure path says.

`tests/support/fixture_desk.py` walks a mail without a store; this is the proof that it walks as the desk does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from mailbot.desk.wiring import KEY_FILE
from mailbot.store.tables import (
    AUTOMATIC,
    DESK,
    EVENT,
    INBOUND,
    MESSAGE,
    OUTBOX,
    PARTICIPANT,
    RAW_MAIL,
    TICKET,
    TICKET_WORDS,
    TIMER,
    TO_INDEX,
    WITHHELD,
)
from mailbot.store.unit_of_work import UnitOfWork
from tests.support.fixture_desk import (
    INSTANCE,
    NEXT_NUMBER,
    FixtureDesk,
    read_desk,
)
from tests.support.people import (
    BUDI,
    SALLY,
    TryDesk,
)
from tests.unit.fixtures.test_fixtures import MAILS, name_of

AGENTS = [
    {"name": "Sally", "email": SALLY, "aliases": ["sally@rumah.example"]},
    {"name": "Budi", "email": BUDI, "role": "lead"},
]
# The kind of mail that each effect becomes.
MAIL_OF = {
    "Acknowledge": "acknowledgement", "Notify": "notification", "SendAnswer": "answer", "SendClosure": "closure",
    "SendNotice": "notice", "SendHelp": "notice", "AskToConfirm": "notice", "Refuse": "notice",
    "TellStatus": "status", "TellNothing": "status",
}  # fmt: skip
TICKET_FACTS = ("status", "close_reason", "agent", "priority", "tags", "follow_up_of", "participants")


Desks = Callable[[FixtureDesk], TryDesk]


@pytest.fixture(scope="module")
def desks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desks]:
    """One desk for each setting of [agent_mail] trust, emptied for every mail: opening one takes longer than a mail."""
    opened: dict[tuple[str, tuple[str, ...]], TryDesk] = {}

    def desk_like(given: FixtureDesk) -> TryDesk:
        settings = (given.trust, given.trusted)
        if settings not in opened:
            folder = tmp_path_factory.mktemp("desk")
            (folder / KEY_FILE).write_bytes(b"k" * 32)
            (folder / KEY_FILE).chmod(0o600)
            opened[settings] = TryDesk(
                folder,
                agents=AGENTS,
                helpdesk={"first_ticket_number": NEXT_NUMBER},
                agent_mail={"trust": given.trust},
                inbound={"trusted_authserv_ids": list(given.trusted)},
            )
        desk = opened[settings]
        desk.clock.set(given.now)
        empty(desk)
        return desk

    yield desk_like
    for desk in opened.values():
        desk.close()


def empty(desk: TryDesk) -> None:
    """Nothing has ever come to this desk."""
    with desk.desk.store.writing() as connection:
        for table in (
            MESSAGE, TO_INDEX, TICKET_WORDS, TIMER, EVENT, OUTBOX, AUTOMATIC, WITHHELD, PARTICIPANT, INBOUND, TICKET,
            RAW_MAIL,
        ):  # fmt: skip
            connection.execute(delete(table))
        connection.execute(update(DESK).values(next_number=NEXT_NUMBER))


def furnish(desk: TryDesk, given: FixtureDesk) -> None:
    """The tickets and the sent mail of a fixture, written into the store."""
    with desk.desk.store.writing() as connection:
        work = UnitOfWork(connection, desk.desk.store.desk_id, given.now)
        ids = {number: work.open_ticket(ticket, 0, "").id for number, ticket in given.tickets.items()}
        for message_id, number in given.by_message_id.items():
            sent = given.sent.get(message_id)
            if sent is None:
                work.add_message(
                    ids[number], direction="in", kind="report", author="x@y.example", author_role="requester",
                    message_id=message_id,
                )  # fmt: skip
                continue
            row: dict[str, Any] = {
                "mailbox_id": 0, "ticket_id": ids[number], "kind": sent.kind.value, "recipient": sent.to,
                "role": "requester", "message_id": message_id, "text": sent.text, "raw": b"", "state": "sent",
                "expires_at": given.now,
            }  # fmt: skip
            work.enqueue(row | ({"id": sent.outbox} if sent.outbox else {}))


def mails_queued(desk: TryDesk) -> list[tuple[str, str]]:
    with desk.desk.store.reading() as connection:
        rows = connection.execute(select(OUTBOX.c.kind, OUTBOX.c.recipient).where(OUTBOX.c.state == "pending"))
        return sorted((row.kind, row.recipient) for row in rows)


def mails_expected(expect: dict[str, Any]) -> list[tuple[str, str]]:
    effects = [(name.split()[0], to) for effect in expect.get("effects", ()) for name, to in effect.items()]
    return sorted((MAIL_OF[name], person) for name, to in effects if name in MAIL_OF for person in to)


def recorded(desk: TryDesk, inbound_id: int) -> list[tuple[str, bool]]:
    with desk.desk.store.reading() as connection:
        rows = connection.execute(select(MESSAGE.c.kind, MESSAGE.c.public).where(MESSAGE.c.inbound_id == inbound_id))
        return [(row.kind, row.public) for row in rows if row.kind != "bounce"]


@pytest.mark.parametrize("path", MAILS, ids=name_of)
def test_the_desk_does_what_the_pure_path_says(path: Path, desks: Desks) -> None:
    case = json.loads(path.with_suffix(".json").read_text("utf-8"))
    given, expect = read_desk(case.get("desk", {})), case["expect"]
    desk = desks(given)
    furnish(desk, given)
    instance = desk.desk.helpdesk.profile.instance_id  # of this desk's key; the fixture has another
    done = desk.feed(path.read_bytes().replace(INSTANCE.encode(), instance.encode()), deliver=False)
    assert done.outcome == expect["fate"].replace("nothing", "processed"), done.reason
    assert mails_queued(desk) == mails_expected(expect)
    if "ticket" in expect and expect["fate"] == "processed" and "event" in expect:
        assert done.ticket == (NEXT_NUMBER if expect["ticket"] == "new" else expect["ticket"])
        assert done.ticket is not None
        ticket = desk.ticket(done.ticket)
        facts = TICKET_FACTS if expect["ticket"] == "new" else tuple(f for f in TICKET_FACTS if f != "follow_up_of")
        known = {fact: expect[fact] for fact in facts if fact in expect}
        assert {fact: ticket[fact] for fact in facts if ticket[fact]} == {"priority": "normal"} | known
        if "commands" not in expect:
            kinds = [(expect["recorded_as"], not expect.get("hidden", False))] if "recorded_as" in expect else []
            assert recorded(desk, done.inbound_id) == kinds
