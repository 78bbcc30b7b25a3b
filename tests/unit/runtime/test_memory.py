"""One large mail at a time in a process, and a C library that works after it is tuned."""

from __future__ import annotations

import threading
import time
from typing import Any

from mailbot.runtime.memory import (
    LARGE,
    one_large_mail,
    receiving_large_mail,
    release_memory,
    tune_memory,
    unpacking_large_mail,
)


def test_two_large_mails_are_never_taken_apart_at_once_and_small_ones_do_not_wait() -> None:
    working = most = 0
    guard = threading.Lock()
    all_there = threading.Barrier(4)

    def take(size: int) -> None:
        nonlocal working, most
        all_there.wait(20)
        with one_large_mail(size):
            with guard:
                working += 1
                most = max(most, working)
            with one_large_mail(LARGE):  # not large: no waiting for oneself
                pass
            with guard:
                working -= 1

    threads = [threading.Thread(target=take, args=(LARGE + 1,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert (working, most) == (0, 1)


def test_the_gate_opens_again_after_a_fault() -> None:
    for _ in range(2):
        try:
            with one_large_mail(LARGE + 1):
                raise KeyError
        except KeyError:
            continue
    with one_large_mail(LARGE + 1):
        assert True


def test_nothing_is_unpacked_while_a_large_mail_is_taken_in_and_the_other_way_round() -> None:
    for first, second in ((receiving_large_mail, unpacking_large_mail), (unpacking_large_mail, receiving_large_mail)):
        order: list[str] = []
        waits = threading.Event()

        def follow(follower: Any = second, order: list[str] = order, waits: threading.Event = waits) -> None:
            with follower(LARGE):  # one that is not large does not wait
                waits.set()
            with follower(LARGE + 1, patience=60):
                order.append("second")

        with first(LARGE + 1):
            thread = threading.Thread(target=follow)
            thread.start()
            assert waits.wait(20)
            thread.join(0.05)
            order.append("first")
        thread.join(20)
        assert order == ["first", "second"]


def test_two_large_mails_may_be_received_at_once() -> None:
    start = time.monotonic()
    with receiving_large_mail(LARGE + 1), receiving_large_mail(LARGE + 1, patience=20):
        assert time.monotonic() - start < 10


def test_the_wait_for_a_large_mail_is_bounded() -> None:
    for first, second in ((receiving_large_mail, unpacking_large_mail), (unpacking_large_mail, receiving_large_mail)):
        start = time.monotonic()
        with first(LARGE + 1), second(LARGE + 1, patience=0.05):
            assert 0.05 <= time.monotonic() - start < 10


def test_the_c_library_works_after_it_is_tuned() -> None:
    tuned = tune_memory()
    blocks = [bytes(LARGE + number) for number in range(8)]
    release_memory()
    assert [len(block) for block in blocks] == list(range(LARGE, LARGE + 8))
    assert tune_memory() is tuned
