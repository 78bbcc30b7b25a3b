"""Two workers of one desk meet the same deadlines at the same moment: each fires once."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from mailbot.errors import StoreUnavailable
from tests.support.people import SALLY, TryDesk
from tests.support.postgres import Postgres


@pytest.mark.postgresql
def test_deadlines_that_two_workers_see_fire_once(tmp_path: Path, postgres: Postgres) -> None:
    url = postgres.create()
    one, two = (TryDesk(tmp_path / name, database_url=url) for name in ("one", "two"))
    people = [f"guru{nth}@sekolah{nth}.example" for nth in range(12)]
    for person in people:
        one.opened(person, "BKU")
        one.reply(one.last(SALLY, "notification"), SALLY, "Mohon kirim NPSN.")
    start = threading.Barrier(2)

    def fire(desk: TryDesk) -> None:
        desk.clock.advance(timedelta(hours=7))
        start.wait(10)
        for _ in range(5):
            try:
                desk.desk.helpdesk.fire_due_timers()
            except StoreUnavailable:
                continue  # a deadlock that PostgreSQL resolved: the next bell tries again
            return

    threads = [threading.Thread(target=fire, args=(desk,)) for desk in (one, two)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    one.deliver()
    two.deliver()
    reminded = Counter(mail.recipient for desk in (one, two) for mail in desk.sent if mail.kind == "reminder")
    assert reminded == Counter(people)
    one.close()
    two.close()
