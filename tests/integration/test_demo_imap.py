"""The demo's IMAP server: the contract that Dovecot passes, and what had to be mended in pymap."""

from __future__ import annotations

import gc
import imaplib
import inspect
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from mailbot.demo.imap import EmbeddedImap
from mailbot.transport.imap.idle import WakeUp
from mailbot.transport.imap.mailbox import Mailbox
from tests.contract import test_mailbox as contract
from tests.support.dovecot import PASSWORD, Dovecot
from tests.support.settings import imap_settings

USER = "desk"


class Served:
    """The embedded server with the face that the contract's tests use of Dovecot."""

    def __init__(self) -> None:
        self.server = EmbeddedImap({USER: PASSWORD})
        self.server.start()
        self.port = self.server.port

    client, append, append_all = Dovecot.client, Dovecot.append, Dovecot.append_all
    mails, count, flags = Dovecot.mails, Dovecot.count, Dovecot.flags


@pytest.fixture
def served() -> Iterator[Served]:
    one = Served()
    yield one
    one.server.stop()


@pytest.mark.parametrize(
    "case",
    [
        contract.test_mail_goes_from_the_inbox_to_its_places_unseen_and_unchanged,
        contract.test_new_mail_is_seen_at_once_without_a_wait,
        contract.test_a_missing_source_folder_is_named_with_its_neighbours,
        contract.test_batches_keep_within_the_budget,
        contract.test_of_a_mail_that_is_too_large_only_the_header_is_read,
        contract.test_thirty_megabytes,
        contract.test_mail_that_another_client_removes_is_left_out,
        contract.test_mail_that_somebody_flagged_deleted_is_not_taken,
        contract.test_a_deleted_target_folder_is_made_anew,
        contract.test_folder_names_of_any_language,
        contract.test_idle_wakes_for_mail_and_for_another_thread,
        contract.test_mail_that_came_before_idle_began_ends_it,
        contract.test_mail_may_stay_in_place_with_a_keyword,
    ],
    ids=lambda case: case.__name__.removeprefix("test_"),
)
def test_it_keeps_the_contract(case: Callable[..., None], served: Served, request: pytest.FixtureRequest) -> None:
    given = {"dovecot": served, "user": USER}
    wanted = inspect.signature(case).parameters
    case(**{name: given.get(name) or request.getfixturevalue(name) for name in wanted})


def test_idle_survives_garbage_collection(served: Served) -> None:
    """Python 3.13.0 collected pymap's connection task here, and the client saw the connection end."""
    mailbox, wake = Mailbox(imap_settings(served.port, USER), max_size=10_000), WakeUp()
    mailbox.open()
    for number in range(1, 5):
        collector = threading.Timer(0.1, gc.collect)
        collector.start()
        assert mailbox.wait(0.3, wake) is False
        collector.join()
        served.server.append(contract.mail(str(number)), USER)
        assert mailbox.wait(10, wake) is True
        assert len(mailbox.uids()[1]) == number
    mailbox.close()
    wake.close()


def test_bytes_and_arrival_times_are_kept(served: Served) -> None:
    raw = b"Subject: \xe9\xff raw\r\n\r\nA\x00B bare\nline {5}\r\n)\r\n* 1 FETCH (UID 9 BODY[] {3}\r\n\r\n"
    served.server.append(raw, USER, at=datetime(2025, 11, 24, 2, 0, tzinfo=UTC))
    mailbox = Mailbox(imap_settings(served.port, USER), max_size=10_000)
    mailbox.open()
    [found] = contract.take_all(mailbox)
    mailbox.close()
    assert found.raw == raw
    assert found.internal_date == datetime(2025, 11, 24, 2, 0, tzinfo=UTC)
    assert served.server.raw_messages(USER) == [raw]
    assert served.server.counts(USER) == {"INBOX": 1, "Mailbot/Processed": 0, "Mailbot/Quarantine": 0}


def test_a_wrong_password_is_refused(served: Served) -> None:
    connection = imaplib.IMAP4("127.0.0.1", served.port, timeout=10)
    with pytest.raises(imaplib.IMAP4.error):
        connection.login(USER, "wrong")
    connection.logout()


def test_stop_ends_connections_and_its_thread_and_frees_the_port(served: Served) -> None:
    connection = imaplib.IMAP4("127.0.0.1", served.port, timeout=10)
    connection.login(USER, PASSWORD)
    connection.select()
    started = time.monotonic()
    served.server.stop()
    served.server.stop()  # a second time does nothing
    assert time.monotonic() - started < 5
    assert not any(thread.name == "demo-imap" for thread in threading.enumerate())
    with pytest.raises((imaplib.IMAP4.abort, OSError)):
        connection.noop()
    connection.shutdown()
    again = EmbeddedImap({USER: PASSWORD}, port=served.port)
    again.start()
    again.stop()
