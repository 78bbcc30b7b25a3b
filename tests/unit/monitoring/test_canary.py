"""The canary by itself: who can make one, what is measured, when it is missed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from mailbot.desk.profile import DeskProfile
from mailbot.mail.classify.facts import OwnIdentity
from mailbot.mail.classify.rules import classify
from mailbot.mail.message import Kind
from mailbot.mail.mime.parser import parse_message
from mailbot.mail.reply_token import Purpose, Signer
from mailbot.monitoring.canary import Canary, CanaryPlan, number_of
from mailbot.runtime.clock import ManualClock
from mailbot.transport.smtp.submission import Accepted, Deferred, Rejected
from tests.support.loopback import until

ADDRESS = "support@helpdesk.example"
START = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


def profile(key: bytes = b"k" * 32, *older: bytes) -> DeskProfile:
    return DeskProfile("Helpdesk", "BOSP", ADDRESS, ZoneInfo("Asia/Jakarta"), Signer((key, *older)), "f00dcafe")


class Server:
    """Takes mail, or not; keeps it for the test to bring back."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []
        self.says: Accepted | Deferred | Rejected = Accepted("250 ok")

    def send(self, envelope_from: str, recipient: str, raw: bytes) -> Accepted | Deferred | Rejected:
        self.mails.append(raw)
        return self.says


class Bird:
    """A canary with a server and a clock."""

    def __init__(self, every: timedelta | None = timedelta(minutes=5), *addresses: str) -> None:
        self.server, self.clock, self.ids = Server(), ManualClock(START), iter(range(10**6))
        plan = CanaryPlan(every, addresses or (ADDRESS,))
        self.canary = Canary(self.server, profile(), self.clock, plan, lambda: f"n{next(self.ids)}")

    def sends(self, address: str = ADDRESS) -> bytes:
        self.canary.send(address)
        return self.server.mails[-1]


@pytest.fixture
def bird() -> Iterator[Bird]:
    yield Bird()


def test_a_canary_that_comes_back_is_measured(bird: Bird) -> None:
    raw = bird.sends()
    facts = bird.canary.facts()
    assert facts is not None and (facts.back_at, facts.waiting_since) == (None, START)
    bird.clock.advance(timedelta(seconds=3))
    assert bird.canary.recognises(b"Received: by mx; Mon\r\n" + raw)
    facts = bird.canary.facts()
    assert facts is not None and facts.waiting_since is None
    assert facts.back_at == START + timedelta(seconds=3) and facts.seconds is not None and 0 <= facts.seconds < 60


def test_one_that_is_missed_is_missed_since_it_was_sent_until_a_later_one_is_back(bird: Bird) -> None:
    for _ in range(300):
        last = bird.sends()
        bird.clock.advance(timedelta(minutes=5))
    facts = bird.canary.facts()
    assert facts is not None and facts.waiting_since == START
    assert bird.canary.recognises(last)
    facts = bird.canary.facts()
    assert facts is not None and facts.waiting_since is None
    assert bird.canary.recognises(bird.server.mails[0])  # late, and still nobody's ticket


def test_each_inbox_has_its_own(bird: Bird) -> None:
    bird = Bird(timedelta(minutes=5), ADDRESS, "bos@helpdesk.example")
    first, second = bird.sends(), bird.sends("bos@helpdesk.example")
    assert number_of(first, profile()) != number_of(second, profile())
    assert b"To: Helpdesk <bos@helpdesk.example>" in second
    bird.canary.recognises(second)
    facts = bird.canary.facts()
    assert facts is not None and facts.waiting_since == START  # the other one's way is not open


def test_one_that_the_server_refuses_is_not_waited_for_but_told(bird: Bird) -> None:
    bird.server.says = Rejected(550, "no such user")
    bird.sends()
    bird.clock.advance(timedelta(minutes=1))
    bird.sends()
    facts = bird.canary.facts()
    assert facts is not None and (facts.waiting_since, facts.reason) == (START, "550 no such user")
    bird.server.says = Accepted("250 ok")
    bird.canary.recognises(bird.sends())
    facts = bird.canary.facts()
    assert facts is not None and (facts.waiting_since, facts.reason) == (None, "")


def test_nobody_without_the_key_can_make_one(bird: Bird) -> None:
    raw = bird.sends()
    number = number_of(raw, profile())
    assert number is not None
    token = str(Signer((b"k" * 32,)).sign(Purpose.CANARY, number, ADDRESS)).encode()
    assert token in raw
    forged = [
        raw.replace(token, str(Signer((b"x" * 32,)).sign(Purpose.CANARY, number, ADDRESS)).encode()),
        raw.replace(token, token[:-1] + (b"a" if token[-1:] != b"a" else b"b")),
        raw.replace(token, b""),
        raw.replace(token, b"k0a0" + b"a" * 20),
        # tokens that people have: of a ticket, of a bounce, of another person's
        *(
            raw.replace(token, str(Signer((b"k" * 32,)).sign(purpose, number, ADDRESS)).encode())
            for purpose in Purpose
            if purpose is not Purpose.CANARY
        ),
        raw.replace(token, str(Signer((b"k" * 32,)).sign(Purpose.CANARY, number, "a@b.example")).encode()),
        # in a body, in a subject, behind other words
        b"From: a@b.example\r\nSubject: X-Mailbot-Canary: " + token + b"\r\n\r\nisi\r\n",
        b"From: a@b.example\r\nSubject: Tiket\r\nX-Mailbot-Canary: ya " + token + b"\r\n\r\nisi\r\n",
    ]
    for mail in forged:
        assert not bird.canary.recognises(mail), mail[:400]


def test_a_canary_in_a_body_or_behind_a_huge_header_is_a_mail_like_any_other(bird: Bird) -> None:
    raw = bird.sends()
    quoted = b"From: a@b.example\r\nSubject: Laporan\r\n\r\nIni yang saya terima:\r\n\r\n" + raw
    assert not bird.canary.recognises(quoted)
    assert not bird.canary.recognises(b"X-Filler: " + b"a" * 70_000 + b"\r\n" + raw)


def test_after_a_change_of_keys_it_is_known_by_the_older_one_and_else_a_loop(bird: Bird) -> None:
    raw = bird.sends()
    assert number_of(raw, profile(b"n" * 32, b"k" * 32)) is not None
    assert number_of(raw, profile(b"n" * 32)) is None
    verdict = classify(parse_message(raw), OwnIdentity(frozenset({ADDRESS}), "f00dcafe"))
    assert verdict.kind is Kind.LOOP


def test_where_it_is_off_it_is_still_nobodys_ticket(bird: Bird) -> None:
    off = Bird(every=None)
    assert off.canary.facts() is None
    assert off.canary.recognises(bird.sends())
    # and one that was on its way during a restart is not taken for the new daemon's
    fresh = Bird()
    fresh.sends()
    bird.clock.advance(timedelta(hours=-1))
    assert fresh.canary.recognises(bird.sends())
    facts = fresh.canary.facts()
    assert facts is not None and (facts.back_at, facts.waiting_since) == (None, START)


def test_of_several_workers_only_who_reads_the_inbox_sends_and_waits() -> None:
    bird, reads = Bird(), {ADDRESS}
    plan = CanaryPlan(timedelta(minutes=5), [ADDRESS, "dapodik@helpdesk.example"], lambda address: address in reads)
    canary = Canary(bird.server, profile(), bird.clock, plan, lambda: "n")
    stopping = threading.Event()
    runs = threading.Thread(target=canary.run, args=(stopping,))
    runs.start()
    until(lambda: len(bird.server.mails) >= 1, 20, "the canary of the inbox that is read")
    stopping.set()
    runs.join(20)
    assert not any(b"dapodik@" in mail for mail in bird.server.mails)  # a manual clock lets no time pass in between
    facts = canary.facts()
    assert facts is not None and facts.waiting_since == START
    reads.clear()  # another worker reads it now: whether this one came back is not to be known
    assert canary.facts() is None
    reads.add(ADDRESS)
    facts = canary.facts()
    assert facts is not None and facts.waiting_since is None


def test_what_it_looks_like(bird: Bird) -> None:
    mail = parse_message(bird.sends())
    headers = mail.headers
    assert headers.get("Auto-Submitted") == "auto-generated" and headers.get("X-Mailbot-Instance") == "f00dcafe"
    assert mail.from_addr == ADDRESS and "Nobody has to do anything" in mail.text
