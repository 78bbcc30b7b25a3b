"""A reload (SIGHUP) while the database is away: what became of mail that was sent is known afterwards too."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event

from mailbot.desk.outbound.delivery import Delivery
from mailbot.desk.wiring import open_desk
from mailbot.errors import StoreUnavailable
from mailbot.transport.smtp.submission import Accepted
from tests.support.people import (
    ACHA,
    SALLY,
    TryDesk,
)


class LocksAfterwards:
    """An SMTP server that takes all mail over, and just then somebody locks the database."""

    def __init__(self, path: Path) -> None:
        self.other = sqlite3.connect(path, isolation_level=None)
        self.taken: list[str] = []

    def send(self, envelope_from: str, recipient: str, raw: bytes) -> Accepted:
        """Hand one mail to the server."""
        self.taken.append(recipient)
        if len(self.taken) == 1:
            self.other.execute("BEGIN EXCLUSIVE")
        return Accepted("250 ok")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TryDesk]:
    made = TryDesk(tmp_path)
    store = made.desk.store
    store._forget_connections()
    event.listen(store._writer, "connect", lambda bare, _: bare.execute("PRAGMA busy_timeout=100"))
    yield made
    made.close()


@pytest.mark.parametrize("has_ended", [True, False])
def test_what_was_sent_while_the_database_was_away_is_not_sent_again_after_a_reload(
    desk: TryDesk, tmp_path: Path, has_ended: bool
) -> None:
    desk.opened(deliver=False)
    server = LocksAfterwards(tmp_path / "mailbot.db")
    was: Delivery = desk.desk.delivery
    with pytest.raises(StoreUnavailable):
        was.deliver_due(server)
    sent_before = list(server.taken)
    assert sent_before
    server.other.rollback()
    desk.desk.configure(desk.settings)
    fresh = desk.desk.delivery
    assert fresh is not was
    fresh.take_over(was, has_ended=has_ended)
    for _ in range(3):
        fresh.deliver_due(server)
    expected = {ACHA, SALLY} if has_ended else set(sent_before)
    assert expected <= set(server.taken) and len(server.taken) == len(set(server.taken))
    server.other.close()


def test_a_configuration_that_the_database_does_not_let_us_take_up_changes_nothing(
    desk: TryDesk, tmp_path: Path
) -> None:
    desk.close()
    with open_desk(desk.settings, clock=desk.clock, exclusive=True) as running:
        running.store._forget_connections()
        event.listen(running.store._writer, "connect", lambda bare, _: bare.execute("PRAGMA busy_timeout=100"))
        before = (running.settings, running.helpdesk, running.delivery, running.keys, running.renderer)
        other = sqlite3.connect(tmp_path / "mailbot.db", isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreUnavailable):
            running.configure(desk.settings.model_copy())
        assert before == (running.settings, running.helpdesk, running.delivery, running.keys, running.renderer)
        other.rollback()
        other.close()


def test_a_draft_of_the_key_that_a_kill_left_is_gone_after_the_next_start(desk: TryDesk, tmp_path: Path) -> None:
    desk.close()
    left = tmp_path / ".secret.key.0123abcd"
    left.write_text("a" * 64)
    other = tmp_path / ".secret.key.backup"
    other.write_text("mine")
    open_desk(desk.settings, clock=desk.clock).close()
    assert left.exists()  # a command leaves it alone: it may be a rotation's
    open_desk(desk.settings, clock=desk.clock, exclusive=True).close()
    assert not left.exists() and other.read_text() == "mine"
