"""One large mail at a time in a process; files let go of their bytes and keep their size and digest."""

from __future__ import annotations

import hashlib
import threading
from typing import Any

from mailbot.mail.message import Attachment, InboundMessage
from mailbot.mail.mime.attachments import drop_contents
from mailbot.runtime.memory import (
    LARGE,
    one_large_mail,
    receiving_large_mail,
    release_memory,
    tune_memory,
    unpacking_large_mail,
)


def test_two_large_mails_are_never_taken_apart_at_once_and_small_ones_do_not_wait() -> None:
    in_hand = most = 0
    guard = threading.Lock()
    all_there = threading.Barrier(4)

    def take(size: int) -> None:
        nonlocal in_hand, most
        all_there.wait(20)
        with one_large_mail(size):
            with guard:
                in_hand += 1
                most = max(most, in_hand)
            with one_large_mail(LARGE):  # not large: no waiting for oneself
                pass
            with guard:
                in_hand -= 1

    threads = [threading.Thread(target=take, args=(LARGE + 1,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert (in_hand, most) == (0, 1)


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
            with follower(LARGE):  # nobody waits for one that is not large
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


def test_two_large_mails_may_be_taken_in_at_once() -> None:
    with receiving_large_mail(LARGE + 1), receiving_large_mail(LARGE + 1, patience=0):
        assert True


def test_nobody_waits_for_long_where_a_large_mail_is_slow_to_come() -> None:
    with receiving_large_mail(LARGE + 1), unpacking_large_mail(LARGE + 1, patience=0.01):
        assert True
    with unpacking_large_mail(LARGE + 1), receiving_large_mail(LARGE + 1, patience=0.01):
        assert True


def test_telling_the_c_library_leaves_it_working() -> None:
    told = tune_memory()
    blocks = [bytes(LARGE + number) for number in range(8)]
    release_memory()
    assert [len(block) for block in blocks] == list(range(LARGE, LARGE + 8))
    assert tune_memory() is told


def test_a_file_without_its_bytes_has_size_and_digest_of_them() -> None:
    file = Attachment("a.jpg", "image/jpeg", b"isi")
    inner = InboundMessage(attachments=(file,))
    bare = drop_contents(InboundMessage(attachments=(file,), nested=(inner,)))
    for kept in (*bare.attachments, *bare.nested[0].attachments):
        assert kept.content == b""
        assert (kept.size, kept.sha256) == (3, hashlib.sha256(b"isi").hexdigest())
        assert kept.drop_content() is kept
        assert (kept.name, kept.content_type) == (file.name, file.content_type)
