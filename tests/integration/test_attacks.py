"""Every attack of docs/operator/security.md, tried from outside by raw mail on a whole desk: nothing gets through."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mailbot.desk.helpdesk import Ingested
from tests.integration import (
    attacks_on_sender,
    attacks_on_tickets,
    attacks_on_tokens,
    attacks_under_disguise,
)
from tests.integration.attack_table import (
    ATTACKS,
    DUPLICATE,
    HELD,
    MARKED,
    NOTHING,
    OWN,
    QUARANTINED,
    RECORDED,
    REFUSED,
    TOLD,
    WORDS,
    Attack,
)
from tests.support.arena import (
    BUDI,
    CECE,
    OURS,
    SALLY,
    Arena,
)
from tests.support.people import ACHA

assert attacks_on_sender and attacks_on_tickets and attacks_on_tokens and attacks_under_disguise
PASSED = {"Authentication-Results": f"{OURS}; dmarc=pass header.from=helpdesk.example"}


@pytest.fixture(scope="module")
def open_arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Arena]]:
    opened: dict[str, Arena] = {}

    def make(**settings: Any) -> Arena:
        key = repr(settings)
        if key in opened:
            return opened[key].afresh()
        opened[key] = Arena.opened(tmp_path_factory.mktemp("arena"), **settings)
        return opened[key]

    yield make
    for arena in opened.values():
        arena.desk.close()


@pytest.mark.parametrize("tried", ATTACKS, ids=lambda tried: tried.name)
def test_nothing_gets_through(tried: Attack, open_arena: Callable[..., Arena]) -> None:
    arena = open_arena(**tried.settings)
    earlier = len(arena.desk.sent)
    done = tried.mount(arena)
    sent = arena.desk.sent[earlier:]
    assert not arena.leaks(sent)
    OUTCOMES[tried.outcome](arena, done, sent)
    # and what comes of it later is no better: the next answer reaches those whom it reached before, and nobody else
    arena.desk.reply(arena.mail(SALLY, 12345, "notification"), SALLY, "Jawaban-acha yang berikut.", headers=PASSED)
    assert {m.recipient for m in arena.desk.sent if m.kind == "answer" and "yang berikut" in m.text} == {ACHA, CECE}
    assert not arena.leaks(arena.desk.sent[earlier:])


def _untouched(arena: Arena) -> None:
    assert arena.state() == arena.before


def _is_held(arena: Arena, done: Ingested | None, sent: list[Any]) -> None:
    assert done is not None and done.outcome == "held", done
    _untouched(arena)
    assert not arena.new_numbers()
    asked = [m for m in sent if "onfirm" in m["Subject"]]
    assert asked and all(m.kind == "notice" and m.recipient.endswith("@helpdesk.example") for m in asked)


def _is_own(arena: Arena, done: Ingested | None, sent: list[Any]) -> None:
    assert done is not None and done.ticket in arena.new_numbers(), done
    _untouched(arena)
    shown = arena.desk.ticket(done.ticket)
    assert (
        shown["follow_up_of"] == arena.follows.get(done.ticket)
        and shown["status"] == "queued"
        and len(arena.new_numbers()) == 1
    )


def _is_quarantined(arena: Arena, done: Ingested | None, sent: list[Any]) -> None:
    assert done is not None and done.outcome == "quarantined", done
    _untouched(arena)
    assert not arena.new_numbers() and not [m for m in sent if m.recipient not in (SALLY, BUDI)]


def _is_nothing(arena: Arena, done: Ingested | None, sent: list[Any]) -> None:
    assert done is not None and done.outcome in ("processed", "quarantined"), done
    _untouched(arena)
    assert not arena.new_numbers()


def _are_words(arena: Arena, done: Ingested | None, sent: list[Any]) -> None:
    assert done is not None and (done.outcome, done.ticket) == ("processed", 12345), done
    now, before = arena.desk.ticket(12345), arena.before[12345]
    for kept in ("requester", "participants", "agent", "subject", "priority", "tags", "program", "merged_into"):
        assert now[kept] == before[kept]
    assert now["status"] == "in_progress" and not arena.new_numbers()
    assert {m.recipient for m in sent} <= {SALLY}
    others = {number: ticket for number, ticket in arena.before.items() if number != 12345}
    assert {number: ticket for number, ticket in arena.state().items() if number != 12345} == others


def _are_marked(arena: Arena, done: Ingested | None, sent: list[Any]) -> None:
    _are_words(arena, done, sent)
    reply = next(m for m in reversed(arena.desk.ticket(12345)["messages"]) if m["kind"] == "reply")
    assert reply["author"] not in (ACHA, CECE)


def _is_recorded(arena: Arena, done: Ingested | None, sent: list[Any]) -> None:
    assert done is not None and done.outcome == "processed" and not sent, done
    now, before = arena.desk.ticket(12345), arena.before[12345]
    assert [m["kind"] for m in now["messages"][len(before["messages"]) :]] == ["auto_reply"]
    for kept in ("status", "requester", "participants", "agent", "next_timer", "subject"):
        assert now[kept] == before[kept]
    assert not arena.new_numbers()


def _is_duplicate(arena: Arena, done: Ingested | None, sent: list[Any]) -> None:
    assert done is not None and done.outcome == "duplicate", done
    _untouched(arena)


def _is_refused(arena: Arena, done: Ingested | None, sent: list[Any]) -> None:
    assert done is None and not sent
    _untouched(arena)


def _is_told(arena: Arena, done: Ingested | None, sent: list[Any]) -> None:
    assert done is not None and done.outcome == "processed", done
    now, before = arena.desk.ticket(12345), arena.before[12345]
    assert now["status"] == before["status"] and now["requester"] == before["requester"]
    assert {m.recipient for m in sent} == {SALLY} and not arena.new_numbers()
    arena.desk.pass_time(days=30)
    assert arena.desk.ticket(12345)["status"] == before["status"]


OUTCOMES: dict[str, Callable[[Arena, Ingested | None, list[Any]], None]] = {
    HELD: _is_held,
    OWN: _is_own,
    QUARANTINED: _is_quarantined,
    NOTHING: _is_nothing,
    WORDS: _are_words,
    MARKED: _are_marked,
    RECORDED: _is_recorded,
    DUPLICATE: _is_duplicate,
    REFUSED: _is_refused,
    TOLD: _is_told,
}
