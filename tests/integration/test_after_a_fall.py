"""What was sent before a fall is not sent again after it, by the journal of a SQLite desk."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from mailbot.transport.smtp.submission import Accepted, Deferred
from tests.support.people import (
    ACHA,
    BUDI,
    SALLY,
    Sent,
    TryDesk,
)


class Fall(BaseException):
    """The process ends here."""


def falls_after(mails: int, desk: TryDesk) -> None:
    """The server takes so many mails; with the next one the machine falls."""

    def verdict(mail: Sent) -> Accepted:
        if len(desk.sent) == mails:
            raise Fall
        return Accepted("250 ok")

    desk.verdict = verdict


@pytest.mark.parametrize("mails", [0, 1, 2])
def test_each_mail_goes_out_once(tmp_path: Path, mails: int) -> None:
    desk = TryDesk(tmp_path)
    falls_after(mails, desk)
    with pytest.raises(Fall):
        desk.opened()  # three mails: the acknowledgement, and what the two agents are told
    assert len(desk.sent) == mails
    desk.close()

    risen = TryDesk(tmp_path)
    risen.desk.delivery.take_back()
    risen.deliver()
    sent = [mail.recipient for mail in (*desk.sent, *risen.sent)]
    assert sorted(sent) == sorted([ACHA, SALLY, BUDI])
    assert {mail.state for mail in risen.outbox()} <= {"sent"}
    risen.close()


def test_an_answer_that_was_sent_before_the_fall_starts_its_timers_after_it(tmp_path: Path) -> None:
    desk = TryDesk(tmp_path)
    desk.opened()
    desk.write(BUDI, "lain", "bukan apa-apa", deliver=False)
    falls_after(len(desk.sent) + 1, desk)
    with pytest.raises(Fall):
        desk.reply(desk.last(SALLY), SALLY, "Mohon kirim NPSN.")
    assert desk.sent[-1].kind == "answer"
    desk.close()

    risen = TryDesk(tmp_path)
    risen.desk.delivery.take_back()
    risen.deliver()
    assert risen.to(ACHA, "answer") == []
    risen.pass_time(hours=6, minutes=1)
    assert len(risen.to(ACHA, "reminder")) == 1
    risen.close()


def test_a_mail_that_was_put_off_is_tried_again_after_the_fall(tmp_path: Path) -> None:
    desk = TryDesk(tmp_path)

    def verdict(mail: Sent) -> Accepted | Deferred:
        if mail.recipient != ACHA:
            raise Fall
        return Deferred(451, "later", server_gone=False)

    desk.verdict = verdict
    with pytest.raises(Fall):
        desk.opened()
    desk.close()

    risen = TryDesk(tmp_path)
    risen.desk.delivery.take_back()
    risen.deliver()
    assert len(risen.to(ACHA, "acknowledgement")) == 1
    risen.close()


def test_a_line_about_another_mail_changes_nothing(tmp_path: Path) -> None:
    """The database was put back from an older copy: its rows have numbers that the journal knows by other mails."""
    desk = TryDesk(tmp_path)
    desk.write(ACHA, "Tidak bisa tutup BKU", "BKU Oktober.", deliver=False)
    journal = desk.desk.store.sent_journal()
    assert journal is not None
    journal.note([(number, "<lain@helpdesk.example>") for number in range(1, 10)])
    journal.close()
    desk.desk.delivery.take_back()
    desk.deliver()
    assert {mail.recipient for mail in desk.sent} == {ACHA, SALLY, BUDI}
    desk.close()


def test_however_slow_the_server_something_goes_out_and_the_rest_is_given_back(tmp_path: Path) -> None:
    desk = TryDesk(tmp_path)
    desk.write(ACHA, "Tidak bisa tutup BKU", "BKU Oktober.", deliver=False)

    def slow(mail: Sent) -> Accepted:
        desk.clock.advance(timedelta(seconds=2))
        return Accepted("250 ok")

    desk.verdict = slow
    for sent in (1, 2, 3):
        assert desk.desk.delivery.deliver_due(desk).sent == 1
        assert [mail.state for mail in desk.outbox()].count("pending") == 3 - sent
    desk.close()
