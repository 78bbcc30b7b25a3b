"""Giving out stored mail: oldest first, each once, and nothing before what it may belong to."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from mailbot.store.cluster import claims
from mailbot.store.engine import Store
from mailbot.store.tables import CLAIM, INBOUND
from mailbot.store.unit_of_work import UnitOfWork


def stored(store: Store, *keys: tuple[str, ...], digest: str = "") -> list[int]:
    """Mails with these keys, just stored."""
    with store.writing() as connection:
        work = UnitOfWork(connection, store.desk_id, store.clock.now())
        known = connection.execute(text("SELECT count(*) FROM inbound")).scalar_one()
        ids = [
            work.add_inbound(
                {
                    "mailbox_id": 1, "uidvalidity": 1, "uid": known + nth, "source": "imap", "raw_sha256": "x",
                    "digest": digest or f"{known + nth}", "message_id": digest or f"<{known + nth}@x>", "size": 1,
                }
            )
            for nth in range(len(keys))
        ]  # fmt: skip
        claims.add(connection, store.desk_id, dict(zip(ids, keys, strict=True)))
    return ids


def given(store: Store, worker: str, limit: int = 10, **more: object) -> tuple[int, ...]:
    with store.writing() as connection:
        work = UnitOfWork(connection, store.desk_id, store.clock.now())
        return claims.claim(work, worker, limit, **more).ids  # type: ignore[arg-type]


def handled(store: Store, worker: str, *ids: int) -> None:
    with store.writing() as connection:
        work = UnitOfWork(connection, store.desk_id, store.clock.now())
        for inbound_id in ids:
            work.set_inbound(inbound_id, state="processed")
        claims.release(connection, ids, worker)


def test_strangers_are_shared_out_oldest_first(store: Store) -> None:
    a, b, c, d = stored(store, ("s:a",), ("s:b",), ("s:c",), ("s:d",))
    assert given(store, "one", 2) == (a, b)
    assert given(store, "two", 2) == (c, d)
    assert given(store, "three") == ()


def test_a_reply_waits_for_what_it_may_belong_to(store: Store) -> None:
    a, b, c, d, e = stored(store, ("s:a", "m:1"), ("s:b", "m:1", "t:5"), ("s:c",), ("s:d", "t:5"), ("s:b",))
    assert given(store, "one", 1) == (a,)
    assert given(store, "two") == (c,)  # b waits for a, and d and e for b
    handled(store, "one", a)
    assert given(store, "three") == (b, d, e)  # one worker handles them in their order


def test_mail_that_nobody_can_place_waits_for_all_and_all_for_it(store: Store) -> None:
    a, b, c = stored(store, ("s:a",), ("*",), ("s:c",))
    assert given(store, "one", 1) == (a,)
    assert given(store, "two") == ()
    handled(store, "one", a)
    assert given(store, "two", 1) == (b,)
    assert given(store, "one") == ()
    handled(store, "two", b)
    assert given(store, "one") == (c,)


def test_what_came_to_nothing_is_given_out_again_as_tried(store: Store) -> None:
    (a,) = stored(store, ("s:a",))
    assert given(store, "one") == (a,)
    assert given(store, "one", still_mine={a}) == ()  # another thread of the same worker has it
    with store.writing() as connection:
        claims.release(connection, [a], "one")
    with store.writing() as connection:
        again = claims.claim(UnitOfWork(connection, store.desk_id, store.clock.now()), "two", 10)
    assert again == claims.Claimed((a,), True)


def test_a_worker_that_lost_a_mail_finds_it_out_of_its_hand(store: Store) -> None:
    a, b = stored(store, ("s:a",), ("s:b",))
    assert given(store, "one") == (a, b)
    with store.writing() as connection:
        connection.execute(CLAIM.update().where(CLAIM.c.inbound_id == a).values(worker=""))
    with store.writing() as connection:
        assert claims.still_claimed(connection, [a, b], "one") == {b}


def test_the_same_mail_at_two_mailboxes_is_handled_once(store: Store) -> None:
    a, b = stored(store, ("s:a",), ("s:a",), digest="the same")
    assert given(store, "one") == (a,)
    with store.reading() as connection:
        row = connection.execute(INBOUND.select().where(INBOUND.c.id == b)).one()
    assert (row.state, row.duplicate_of, row.place) == ("duplicate", a, "processed")


def test_nothing_is_left_of_what_was_handled(store: Store) -> None:
    ids = stored(store, ("s:a",), ("s:b",))
    assert given(store, "one") == tuple(ids)
    handled(store, "one", *ids)
    with store.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM claim")).scalar_one() == 0
        assert claims.is_settled(connection, store.desk_id, 1)


@pytest.mark.postgresql
def test_leases_end_by_the_databases_clock_and_the_dead_lose_what_they_held(postgres: object) -> None:
    from mailbot.runtime.clock import ManualClock
    from mailbot.store import schema
    from mailbot.store.cluster import leases
    from tests.support.stores import START

    with Store(postgres.create(), clock=ManualClock(START)) as store:  # type: ignore[attr-defined]
        schema.upgrade(store)
        desk = store.desk_id
        with store.connected() as one, store.connected() as two:
            assert leases.register(one, "one") and not leases.register(two, "one")
            assert leases.acquire(one, desk, "one", "worker:one") and leases.acquire(one, desk, "one", "mailbox:1")
            assert not leases.acquire(two, desk, "two", "mailbox:1")
            (a,) = stored(store, ("s:a",))
            assert given(store, "one") == (a,)
            one.execute(text("UPDATE lease SET until = clock_timestamp() - interval '1 second'"))
            with store.writing() as connection:  # the session lives still: nothing of its outbox is touched
                assert leases.release_expired(connection, desk, "two", outbox_too=True) == []
            assert given(store, "two") == (a,)  # but what it was to handle is anybody's
            with pytest.raises(leases.LeaseLost), store.writing() as connection:
                leases.must_hold(connection, "mailbox:1", "one")
            assert leases.acquire(two, desk, "two", "mailbox:1")
        with store.writing() as connection:
            assert leases.release_expired(connection, desk, "three", outbox_too=True) == ["one"]
