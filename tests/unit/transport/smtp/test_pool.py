"""The order in which queued mail is sent over several connections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mailbot.mail.compose.streaming import Outgoing
from mailbot.runtime.memory import LARGE
from mailbot.transport.smtp.pool import OutgoingMail, SubmissionPool
from mailbot.transport.smtp.submission import Accepted, SubmissionResult


@dataclass(frozen=True)
class Queued:
    recipient: str
    ticket_id: int | None = None
    attachments: Sequence[Mapping[str, Any]] = ()


class Server:
    def __init__(self, name: str) -> None:
        self.name = name

    def send(self, envelope_from: str, recipient: str, raw: bytes | Outgoing) -> SubmissionResult:
        return Accepted(f"{self.name} took the mail to {recipient}")


def pool(width: int = 3) -> SubmissionPool:
    return SubmissionPool([Server(f"connection {number}") for number in range(width)])


def test_rounds_are_as_wide_as_the_pool_and_keep_the_order() -> None:
    rows = [Queued(f"guru{number}@sekolah.example", number) for number in range(7)]
    assert list(pool().rounds(rows)) == [rows[:3], rows[3:6], rows[6:]]
    assert list(pool().rounds([])) == []


def test_two_mails_of_one_ticket_to_one_recipient_never_go_side_by_side() -> None:
    first, second = Queued("acha@sekolah.example", 1), Queued("acha@sekolah.example", 1)
    other, elsewhere = Queued("sally@kota.example", 1), Queued("acha@sekolah.example", 2)
    assert list(pool().rounds([first, other, elsewhere, second])) == [[first, other, elsewhere], [second]]
    assert list(pool().rounds([first, second, other])) == [[first], [second, other]]


def test_a_round_holds_the_large_files_of_one_mail_only() -> None:
    def with_file(recipient: str, digest: str, size: int = LARGE + 1) -> Queued:
        return Queued(recipient, None, ({"raw": digest, "size": size},))

    same = [with_file("a@x.example", "aa"), with_file("b@x.example", "aa")]
    different, small = with_file("c@x.example", "bb"), with_file("d@x.example", "cc", LARGE)
    assert list(pool().rounds([*same, different, small])) == [same, [different, small]]


def test_results_are_in_the_order_of_the_mails() -> None:
    some = pool()
    mails = [OutgoingMail("desk@kota.example", f"guru{number}@sekolah.example", b"") for number in range(3)]
    for count in (1, 2, 3):
        assert some.send_all(mails[:count]) == [
            Accepted(f"connection {number} took the mail to guru{number}@sekolah.example") for number in range(count)
        ]
    some.close()


def test_submitters_without_a_connection_need_no_care() -> None:
    some = pool()
    some.check()
    some.interrupt()
    assert (some.active_at, some.certificate_ends) == (0.0, None)
