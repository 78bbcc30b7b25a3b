"""No query without an index: what people ask for at a shell, on a desk whose statements are recorded.

What mail and timers ask for is recorded by the tests of the rules (test_rules.py), in the same way.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mailbot.store import queries
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


@pytest.fixture
def desk(store_url: str, tmp_path: Path) -> Iterator[TryDesk]:
    made = TryDesk(tmp_path, "" if store_url.startswith("sqlite") else watching(store_url))
    yield made
    made.close()


def test_no_answer_to_people_at_a_shell_scans_a_table(desk: TryDesk) -> None:
    number = desk.opened()
    desk.answered()
    store = desk.desk.store
    with recorded(store) as said:
        queries.list_tickets(store)
        queries.list_tickets(store, queries.TicketFilter(agent=SALLY, search="bku"))
        queries.list_tickets(store, queries.TicketFilter(requester=ACHA, search="bku"))
        queries.show_ticket(store, number)
        queries.list_outbox(store)
        queries.list_quarantine(store)
        desk.desk.helpdesk.retry_outbox()
        desk.desk.helpdesk.agents()
        desk.desk.helpdesk.unprocessed()
        desk.desk.helpdesk.next_due()
    assert len(said) > 10
    assert scans(store, said) == []
