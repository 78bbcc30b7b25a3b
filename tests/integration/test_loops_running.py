"""Loops between real processes: two daemons, each with its Dovecot, and a robot that answers at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.integration.test_loops import (
    OTHER,
    STRIPPED,
    WORDS,
    stripped,
)
from tests.support.dovecot import Dovecot
from tests.support.loopback import until
from tests.support.people import (
    ADDRESS,
    SALLY,
    Sent,
)
from tests.support.running_desk import RunningDesk
from tests.support.smtp_sink import Sink

pytestmark = pytest.mark.dovecot


@pytest.fixture
def make_desk(tmp_path: Path, server_home: Callable[[], Path]) -> Iterator[Callable[[str], RunningDesk]]:
    with ExitStack() as stack:

        def make(address: str) -> RunningDesk:
            home = tmp_path / address
            home.mkdir()
            dovecot, sink = stack.enter_context(Dovecot(server_home())), stack.enter_context(Sink())
            desk = RunningDesk(home, dovecot, sink)
            desk.write_config(address=address)
            return stack.enter_context(desk)

        yield make


def is_quiet(desk: RunningDesk) -> bool:
    """Has everything that came been handled, and everything that was written been sent?"""
    return desk.dovecot.count("support") == 0 and json.loads(desk.cli("outbox", "list", "--json")) == []


def test_two_daemons_that_don_t_know_each_other_fall_silent(make_desk: Callable[[str], RunningDesk]) -> None:
    left, right = make_desk(ADDRESS), make_desk(OTHER)
    left.dovecot.append("support", _first_letter())
    until(lambda: len(_post(left, OTHER)) == 1, 60, "the first acknowledgement")
    carried = {id(left): 0, id(right): 0}
    while True:
        moved = 0
        for source, target, address in ((left, right, OTHER), (right, left, ADDRESS)):
            waiting = _post(source, address)[carried[id(source)] :]
            for mail in waiting:
                target.dovecot.append("support", stripped(mail, STRIPPED))
            carried[id(source)] += len(waiting)
            moved += len(waiting)
        until(lambda: is_quiet(left) and is_quiet(right), 60, "both desks are done")
        if not moved:
            break
        assert sum(carried.values()) < 40
    assert sum(carried.values()) <= 4
    assert len(left.tickets()) + len(right.tickets()) <= 2


def test_a_robot_with_ever_new_names_meets_silence(make_desk: Callable[[str], RunningDesk]) -> None:
    desk = make_desk(ADDRESS)
    for n in range(40):
        desk.write(f"r{n}x@d{n}.example", f"Perihal {n * 7919}", f"{WORDS} {n}")
        desk.wait_for(SALLY, "notification", nth=n + 1, seconds=60)
        until(lambda: is_quiet_inbox(desk), 60, "the mail was handled")
        if "notice" in {mail.kind for mail in desk.sent()}:
            break  # the leads were told
    answered = [mail for mail in desk.sent() if mail.kind == "acknowledgement"]
    assert 20 <= len(answered) <= 26
    assert not desk.to(f"r{n}x@d{n}.example") and len(desk.tickets()) == n + 1


def is_quiet_inbox(desk: RunningDesk) -> bool:
    """Acknowledgements go before notifications, so only the notice to the leads may still be on its way."""
    return desk.dovecot.count("support") == 0


def _post(desk: RunningDesk, address: str) -> list[Sent]:
    domain = address.partition("@")[2]
    return [mail for mail in desk.sent() if mail.recipient.endswith(f"@{domain}")]


def _first_letter() -> bytes:
    return (
        f"From: Layanan <{OTHER}>\r\nTo: {ADDRESS}\r\nSubject: Tidak bisa tutup BKU\r\n"
        "Message-ID: <satu@dinas.example>\r\n\r\nMohon bantuan.\r\n"
    ).encode()
