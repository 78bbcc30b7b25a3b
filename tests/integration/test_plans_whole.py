"""No query without an index: everything that a desk does is done on a desk whose statements are recorded.

What it does is what the tests of its rules have it do (test_rules.py): each is run here once more for the statements
that it makes. What people ask for at a shell comes on top.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mailbot.store import queries
from tests.integration import test_rules
from tests.support.people import (
    ACHA,
    SALLY,
    TryDesk,
)
from tests.support.plans import (
    recorded,
    scans,
    watching,
)

RULES = {
    name.removeprefix("test_"): rule
    for name, rule in inspect.getmembers(test_rules, inspect.isfunction)
    if name.startswith("test_") and [*inspect.signature(rule).parameters] == ["desk"]
}


@pytest.fixture
def desk(store_url: str, tmp_path: Path) -> Iterator[TryDesk]:
    made = TryDesk(tmp_path, "" if store_url.startswith("sqlite") else watching(store_url))
    yield made
    made.close()


def test_there_are_rules_to_run() -> None:
    assert len(RULES) > 25


@pytest.mark.parametrize("name", RULES)
def test_no_rule_of_the_desk_scans_a_table(desk: TryDesk, name: str) -> None:
    rule: Callable[[TryDesk], None] = RULES[name]
    with recorded(desk.desk.store) as said:
        rule(desk)
        desk.desk.helpdesk.send_digest()
        desk.desk.helpdesk.send_quarantine_list()
    assert said
    assert scans(desk.desk.store, said) == []


def test_no_answer_to_people_at_a_shell_scans_a_table(desk: TryDesk) -> None:
    number = desk.opened()
    desk.answered()
    store = desk.desk.store
    with recorded(store) as said:
        queries.list_tickets(store)
        queries.list_tickets(store, agent=SALLY, search="bku")
        queries.list_tickets(store, requester=ACHA, search="bku")
        queries.show_ticket(store, number)
        queries.list_outbox(store)
        queries.list_quarantine(store)
        desk.desk.helpdesk.retry_outbox()
        desk.desk.helpdesk.agents()
        desk.desk.helpdesk.unprocessed()
        desk.desk.helpdesk.next_due()
    assert len(said) > 10
    assert scans(store, said) == []
