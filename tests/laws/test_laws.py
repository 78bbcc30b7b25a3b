"""Everything that can happen to a desk, in any order: after each step all laws hold (laws.py).

`make test` takes short walks, always the same ones, and prints one that breaks a law as it was; `make laws` takes long
ones, new every time, for as long as LAWS_MINUTES says, and prints the shortest program that breaks the law.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.laws import laws
from tests.laws.world import (
    AGENTS,
    PARTICIPANTS,
    REQUESTERS,
    STRANGER,
    World,
    Written,
)
from tests.support.people import (
    ADDRESS,
    BUDI,
    SALLY,
    Sent,
)

SPANS = tuple(timedelta(**span) for span in (
    {"minutes": 1}, {"hours": 1}, {"hours": 6, "seconds": 1}, {"hours": 18}, {"hours": 24}, {"hours": 48}, {"days": 15},
))  # fmt: skip
WORDS = (
    "KENARI masih belum bisa",
    "KENARI Kendala masih terjadi",
    "KENARI Terima kasih, sudah bisa.",
    "KENARI 20512345",
)
ORDERS = (
    "KENARI mohon tangkapan layar.", "#selesai\nKENARI sudah kami perbaiki.", "#selesai", "#tunggu\nKENARI mohon NPSN.",
    "#proses\nKENARI sedang kami periksa.", "#ambil", "#spam", "#pelapor dini@gmail.com", "#selesaikan\nKENARI salah",
    f"#oper {BUDI}",
)  # fmt: skip
ROBOTS: tuple[dict[str, str], ...] = (
    {"Auto-Submitted": "auto-replied"}, {"X-Autoreply": "yes"}, {"Precedence": "bulk", "X-Loop": "x"},
)  # fmt: skip

which = st.integers(0, 10_000)


class Desk(RuleBasedStateMachine):
    """A walk: who does what next is drawn."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="mailbot-laws-"))
        self.world = World(self.folder)
        self.checked = 0

    def teardown(self) -> None:
        self.world.desk.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # Whose mail there is to answer

    def mail(self, pick: int, people: tuple[str, ...], *kinds: str) -> Sent | None:
        found = [m for m in self.world.sent if m.recipient in people and m.kind in kinds]
        return found[-1 - pick % len(found)] if found else None

    def settled(self) -> None:
        """All that waits is taken in and sent, so that what changes next is the next mail's doing."""
        self.world.fetch()
        self.world.deliver()

    # People

    @initialize()
    def a_report(self) -> None:
        self.world.compose(REQUESTERS[0], "Tidak bisa tutup BKU", "KENARI tidak bisa tutup BKU.")
        self.settled()

    @rule(who=st.sampled_from((*REQUESTERS, STRANGER)), cc=st.sampled_from(("", *PARTICIPANTS)), file=st.booleans())
    def somebody_reports(self, who: str, cc: str, file: bool) -> None:
        self.world.compose(who, "Dana belum masuk", "KENARI mohon bantuan.", cc=cc, with_file=file)

    @rule(pick=which, words=st.sampled_from(WORDS), threaded=st.booleans(), file=st.booleans())
    def somebody_replies(self, pick: int, words: str, threaded: bool, file: bool) -> None:
        people = (*REQUESTERS, *PARTICIPANTS, STRANGER)
        to = self.mail(pick, people, "acknowledgement", "answer", "reminder", "closure")
        if to is not None:
            self.world.reply(to, to.recipient, words, threaded=threaded, with_file=file)

    @rule(pick=which, who=st.sampled_from((*REQUESTERS, STRANGER)), status=st.booleans())
    def somebody_names_a_number(self, pick: int, who: str, status: bool) -> None:
        numbers = self.world.numbers()
        tag = f"#{numbers[pick % len(numbers)]}"
        self.world.compose(who, f"STATUS {tag}" if status else f"Re: {tag}", "KENARI bagaimana?")

    @rule(pick=which, who=st.sampled_from((*PARTICIPANTS, STRANGER)))
    def a_reply_is_passed_on(self, pick: int, who: str) -> None:
        """Somebody else answers by the signed address of another's mail."""
        to = self.mail(pick, REQUESTERS, "answer", "acknowledgement")
        if to is not None:
            self.world.reply(to, who, "KENARI saya juga mengalami")

    # Agents

    @rule(pick=which, words=st.sampled_from(ORDERS), file=st.booleans())
    def an_agent_acts(self, pick: int, words: str, file: bool) -> None:
        to = self.mail(pick, AGENTS, "notification")
        if to is not None:
            self.world.reply(to, to.recipient, words, with_file=file)

    @rule(pick=which, order=st.sampled_from(("#catatan", "#spam")), file=st.booleans())
    def an_agent_notes(self, pick: int, order: str, file: bool) -> None:
        to = self.mail(pick, AGENTS, "notification")
        if to is not None:
            words = f"{order}\nKENARI hanya untuk rekan"
            self.world.notes.add(self.world.reply(to, to.recipient, words, with_file=file).canary)

    @rule(pick=which, into=which, force=st.booleans())
    def an_agent_merges(self, pick: int, into: int, force: bool) -> None:
        to, numbers = self.mail(pick, AGENTS, "notification"), self.world.numbers()
        if to is not None:
            self.world.reply(to, to.recipient, f"#gabung {numbers[into % len(numbers)]}{' paksa' * force}")

    @rule(pick=which, words=st.sampled_from(ORDERS))
    def somebody_forges_an_agent(self, pick: int, words: str) -> None:
        self.settled()
        before = self.tickets()
        numbers = self.world.numbers()
        subject = f"Re: #{numbers[pick % len(numbers)]}"
        self.world.compose(BUDI, subject, words, forged=True)
        self.world.fetch()
        assert self.tickets() == before, "an agent's mail that proves nothing has changed something"

    # Machines

    @rule(pick=which, marks=st.sampled_from(ROBOTS))
    def a_robot_answers(self, pick: int, marks: dict[str, str]) -> None:
        to = self.mail(pick, (*REQUESTERS, *PARTICIPANTS), "acknowledgement", "answer", "reminder", "closure")
        if to is None:
            return
        self.settled()
        before = self.tickets(but=("messages", "events", "updated_at"))
        self.world.reply(to, to.recipient, "KENARI Saya sedang cuti.", headers=marks, robot=True)
        self.world.fetch()
        assert self.tickets(but=("messages", "events", "updated_at")) == before, "a robot has changed something"

    @rule(pick=which, by_address=st.booleans(), hard=st.booleans())
    def a_mail_comes_back(self, pick: int, by_address: bool, hard: bool) -> None:
        to = self.mail(pick, (*REQUESTERS, *PARTICIPANTS), "acknowledgement", "answer", "reminder", "closure")
        if to is None:
            return
        self.settled()
        before = {n: t["status"] for n, t in self.tickets().items()}
        self.bounce(to, to.envelope_from if by_address else ADDRESS, "failed" if hard else "delayed")
        self.world.fetch()
        assert {n: t["status"] for n, t in self.tickets().items()} == before

    def bounce(self, of: Sent, to: str, action: str) -> None:
        self.world.count += 1
        count = self.world.count
        raw = (
            f"From: MAILER-DAEMON@mx.example\r\nTo: {to}\r\nSubject: Undelivered Mail\r\nReturn-Path: <>\r\n"
            f"Message-ID: <b{count}@mx.example>\r\nDate: Mon, 3 Nov 2025 10:05:00 +0700\r\nMIME-Version: 1.0\r\n"
            'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
            "--b\r\nContent-Type: text/plain\r\n\r\nThe mail could not be delivered.\r\n"
            "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
            f"Final-Recipient: rfc822; {of.recipient}\r\nAction: {action}\r\nStatus: 5.1.1\r\n\r\n"
            f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {of['Message-ID']}\r\n--b--\r\n"
        )
        mail = Written("mailer-daemon@mx.example", f"kenari{count}x", raw.encode(), robot=True)
        self.world.written.append(mail)
        self.world.waiting.append(mail)

    @rule(who=st.sampled_from(REQUESTERS))
    def a_list_writes(self, who: str) -> None:
        self.world.compose(who, "Lewat milis", "KENARI", headers={"List-Id": "<guru.milis.example>"}, robot=True)

    # The world

    @rule(again=st.booleans())
    def the_inbox_is_read(self, again: bool) -> None:
        self.world.fetch()
        if again:
            self.world.deliver()

    @precondition(lambda self: len(self.world.waiting) > 1)
    @rule()
    def mail_overtakes(self) -> None:
        self.world.waiting.reverse()

    @rule(pick=which, uidvalidity=st.integers(1, 3), mailbox=st.sampled_from(("inbox", "kedua")))
    def mail_comes_twice(self, pick: int, uidvalidity: int, mailbox: str) -> None:
        known = self.world.written
        self.world.waiting.append(known[pick % len(known)])
        self.world.fetch(mailbox=mailbox, uidvalidity=uidvalidity)

    @rule(
        says=st.sampled_from(("accepts", "accepts", "defers", "refuses")),
        late=st.sampled_from(("", REQUESTERS[0], *PARTICIPANTS)),
    )
    def the_server_says(self, says: str, late: str) -> None:
        self.world.server, self.world.late = says, late
        self.world.deliver()

    @rule(span=st.sampled_from(SPANS))
    def time_goes_by(self, span: timedelta) -> None:
        self.world.desk.clock.advance(span)
        self.world.fetch()
        self.world.desk.desk.helpdesk.fire_due_timers()
        self.world.deliver()

    @rule(how=st.sampled_from(("stored", "commit", "accepted", "idle")))
    def the_desk_dies(self, how: str) -> None:
        self.world.touched = True
        if how == "stored":
            self.world.fetch(die_before_handling=True)
        elif how == "commit":
            self.world.die_at_commit()
        elif how == "accepted":
            self.world.fetch()
            self.world.deliver(die_after_accepting=True)
        else:
            self.world.crash()

    @rule(sally=st.booleans(), language=st.sampled_from(("id", "en")), trust=st.sampled_from(("token", "both")))
    def the_settings_change(self, sally: bool, language: str, trust: str) -> None:
        self.settled()
        budi = {"name": "Budi", "email": BUDI, "role": "lead"}
        agents = [{"name": "Sally", "email": SALLY}, budi] if sally else [budi]
        self.world.settings = {
            "agents": agents, "helpdesk": {"language": language}, "agent_mail": {"trust": trust},
        }  # fmt: skip
        self.world.crash()

    # The laws

    def tickets(self, but: tuple[str, ...] = ()) -> dict[int, dict[str, Any]]:
        return {n: {k: v for k, v in t.items() if k not in but} for n, t in self.world.tickets().items()}

    @invariant()
    def laws_hold(self) -> None:
        if not self.world.touched:
            return  # somebody has written a mail, and nobody has read it yet
        self.world.touched = False
        tickets = self.world.tickets()
        new = self.world.sent[self.checked :]
        self.checked = len(self.world.sent)
        laws.every_mail_is_kept_once(self.world)
        laws.closed_stays_closed(self.world, tickets)
        laws.one_open_follow_up(tickets)
        laws.reminders_in_their_time(self.world, tickets)
        laws.robots_get_no_answer(self.world)
        laws.nobody_reads_what_is_not_theirs(self.world, tickets, new)
        laws.each_id_has_one_text(self.world)
        laws.outgoing_form(new)


# Scripted walks: what a random one rarely comes to


def a_question_to_two(folder: Path) -> World:
    """A report with somebody in Cc, answered by an agent; the answer's two copies lie in the outbox."""
    world = World(folder)
    world.compose(REQUESTERS[0], "Tidak bisa tutup BKU", "KENARI mohon bantuan.", cc=PARTICIPANTS[0])
    world.fetch()
    world.deliver()
    notification = next(mail for mail in world.sent if mail.recipient == SALLY)
    world.reply(notification, SALLY, "KENARI mohon tangkapan layar.")
    return world


def hours_go_by(world: World, hours: int) -> None:
    """One by one, and what is due happens."""
    for _ in range(hours):
        world.desk.clock.advance(timedelta(hours=1))
        world.desk.desk.helpdesk.fire_due_timers()
        world.deliver()


def sent_to(world: World, person: str) -> list[str]:
    return [mail.kind for mail in world.sent if mail.recipient == person and mail.kind != "acknowledgement"]


def test_a_participants_copy_starts_no_timers(tmp_path: Path) -> None:
    """The server takes the participant's copy at once, the requester's a day later: nothing runs before that."""
    world = a_question_to_two(tmp_path)
    world.late = REQUESTERS[0]
    world.fetch()
    world.deliver()
    hours_go_by(world, 24)
    assert sent_to(world, PARTICIPANTS[0]) == ["answer"] and sent_to(world, REQUESTERS[0]) == []
    world.late = ""
    hours_go_by(world, 7)
    assert sent_to(world, REQUESTERS[0]) == ["answer", "reminder"]
    hours_go_by(world, 42)
    assert sent_to(world, REQUESTERS[0]) == ["answer", "reminder", "reminder", "closure"]
    laws.reminders_in_their_time(world, world.tickets())
    world.desk.close()


def test_a_participants_late_copy_starts_nothing_afresh(tmp_path: Path) -> None:
    """The requester has been reminded when the participant's copy is taken: the closing comes in its time."""
    world = a_question_to_two(tmp_path)
    world.late = PARTICIPANTS[0]
    world.fetch()
    world.deliver()
    hours_go_by(world, 25)
    assert sent_to(world, REQUESTERS[0]) == ["answer", "reminder", "reminder"] and sent_to(world, PARTICIPANTS[0]) == []
    world.late = ""
    hours_go_by(world, 24)
    assert sent_to(world, REQUESTERS[0])[-1] == sent_to(world, PARTICIPANTS[0])[-1] == "closure"
    taken = world.sent_at[next(n for n, m in enumerate(world.sent) if (m.recipient, m.kind) == (SALLY, "notification"))]
    assert world.now() - taken < timedelta(hours=50)
    laws.reminders_in_their_time(world, world.tickets())
    world.desk.close()


QUIET = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)


@pytest.mark.timeout(600)
def test_the_laws_hold_on_short_walks() -> None:
    profile = settings(
        max_examples=int(os.environ.get("LAWS_WALKS", "6")), stateful_step_count=25, deadline=None, derandomize=True,
        database=None, suppress_health_check=QUIET, phases=(Phase.generate,),
    )  # fmt: skip
    run_state_machine_as_test(Desk, settings=profile)


@pytest.mark.skipif("LAWS_MINUTES" not in os.environ, reason="takes minutes: make laws")
@pytest.mark.timeout(0)
def test_the_laws_hold_on_long_walks() -> None:
    end = time.monotonic() + 60 * float(os.environ["LAWS_MINUTES"])
    profile = settings(max_examples=20, stateful_step_count=60, deadline=None, suppress_health_check=QUIET)
    walks = 0
    while time.monotonic() < end:
        run_state_machine_as_test(Desk, settings=profile)
        walks += profile.max_examples
    assert walks > 0
