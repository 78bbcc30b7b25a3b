"""A ticket's life: every row of the table, the timers to the letter, and laws that hold whatever happens."""

from dataclasses import replace
from datetime import timedelta
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.core.commands import Command, Verb
from mailbot.core.events import (
    Absorbed,
    Acknowledge,
    Answered,
    Decision,
    Delivered,
    DeliveryFailed,
    Event,
    Hold,
    Notify,
    OpenFollowUp,
    Origin,
    Replied,
    Reported,
    RobotReplied,
    SendAnswer,
    SendClosure,
    SendNotice,
    SendReminder,
    TimerFired,
    Topic,
)
from mailbot.core.lifecycle import ROWS, decide
from mailbot.core.message import Address, Intent
from mailbot.core.ticket import CloseReason, MessageKind, Participant, Policy, Role, Status, Ticket, Timer, TimerKind
from tests.unit.desk_values import ACHA, BUDI, HOUR, MONDAY, POLICY, SALLY, SUNDAY, ticket


def effect(decision: Decision, kind: type) -> object:
    found = [e for e in decision.effects if isinstance(e, kind)]
    assert len(found) == 1, decision.effects
    return found[0]


def after(decision: Decision) -> Ticket:
    assert decision.ticket is not None
    return decision.ticket


def reported(**more: object) -> Reported:
    values: dict[str, object] = {
        "at": MONDAY, "number": 12345, "subject": "Tidak bisa tutup BKU", "requester": ACHA, "author": ACHA,
    }  # fmt: skip
    return Reported(**(values | more))  # type: ignore[arg-type]


def replied(intent: Intent = Intent.OTHER, **more: object) -> Replied:
    values: dict[str, object] = {"at": MONDAY + HOUR, "author": ACHA, "role": Role.REQUESTER, "intent": intent}
    return Replied(**(values | more))  # type: ignore[arg-type]


def waiting(since=MONDAY) -> Ticket:  # type: ignore[no-untyped-def]
    asked = after(decide(ticket(), Answered(since, SALLY.email), POLICY))
    return after(decide(asked, Delivered(since, MessageKind.ANSWER, ACHA.email, asked.wait_cycle), POLICY))


def test_every_pair_of_status_and_event_is_a_written_row() -> None:
    events = set(get_args(Event))
    assert set(ROWS) == {(status, event) for status in Status for event in events}


def test_only_a_report_needs_no_ticket() -> None:
    with pytest.raises(ValueError, match="needs a ticket"):
        decide(None, replied(), POLICY)
    with pytest.raises(ValueError, match="exists already"):
        decide(ticket(), reported(), POLICY)


# A new report


def test_a_report_is_acknowledged_and_every_agent_notified() -> None:
    decision = decide(None, reported(), POLICY)
    assert after(decision).status is Status.QUEUED
    assert effect(decision, Acknowledge) == Acknowledge((ACHA,), None, None)
    assert effect(decision, Notify) == Notify((SALLY.email, BUDI.email))


def test_outside_service_hours_the_acknowledgement_names_the_next_opening() -> None:
    acknowledge = effect(decide(None, reported(at=SUNDAY), POLICY), Acknowledge)
    assert isinstance(acknowledge, Acknowledge)
    assert acknowledge.opens_at == MONDAY - 2 * HOUR  # Monday 08:00 WIB


def test_who_asks_for_silence_gets_no_acknowledgement() -> None:
    assert not [e for e in decide(None, reported(acknowledge=False), POLICY).effects if isinstance(e, Acknowledge)]


def test_at_most_ten_people_in_cc_take_part_and_the_requester_is_none_of_them() -> None:
    people = (Participant(ACHA.email), *(Participant(f"guru{i}@sekolah.example") for i in range(30)))
    taken = after(decide(None, reported(participants=people), POLICY)).participants
    assert [p.email for p in taken] == [f"guru{i}@sekolah.example" for i in range(10)]


@pytest.mark.parametrize(("last", "next_"), [("", SALLY), (SALLY.email, BUDI), (BUDI.email, SALLY), ("gone@x", SALLY)])
def test_round_robin_tells_the_next_agent_only(last: str, next_: object) -> None:
    policy = replace(POLICY, notify="round_robin", in_turn=(last,))
    assert after(decide(None, reported(), policy)).told == (next_.email,)  # type: ignore[attr-defined]


def test_notify_none_tells_nobody() -> None:
    decision = decide(None, reported(), replace(POLICY, notify="none"))
    assert not [e for e in decision.effects if isinstance(e, Notify)]


def test_a_follow_up_goes_to_the_agent_of_the_old_ticket() -> None:
    decision = decide(None, reported(number=12346, follow_up_of=Origin(12345, BUDI.email, "BOSP")), POLICY)
    opened = after(decision)
    assert (opened.follow_up_of, opened.agent, opened.program) == (12345, BUDI.email, "BOSP")
    assert effect(decision, Notify) == Notify((BUDI.email,))
    acknowledge = effect(decision, Acknowledge)
    assert isinstance(acknowledge, Acknowledge) and acknowledge.follow_up_of == 12345


def test_a_follow_up_of_an_agent_who_has_left_goes_to_all() -> None:
    opened = after(decide(None, reported(number=2, follow_up_of=Origin(1, "gone@helpdesk.example")), POLICY))
    assert (opened.agent, opened.told) == ("", (SALLY.email, BUDI.email))


def test_an_agent_who_forwarded_a_report_gets_a_notice_not_a_notification() -> None:
    decision = decide(None, reported(by_agent=SALLY.email), POLICY)
    assert effect(decision, Notify) == Notify((BUDI.email,))
    notice = effect(decision, SendNotice)
    assert isinstance(notice, SendNotice) and notice.to == (SALLY.email,) and notice.topic is Topic.FORWARD_OPENED


# Replies


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (Status.QUEUED, Status.QUEUED),
        (Status.IN_PROGRESS, Status.IN_PROGRESS),
        (Status.WAITING, Status.IN_PROGRESS),
    ],
)
def test_a_reply_moves_a_waiting_ticket_only(before: Status, expected: Status) -> None:
    decision = decide(ticket(before, agent=SALLY.email), replied(), POLICY)
    assert after(decision).status is expected
    assert effect(decision, Notify) == Notify((SALLY.email,))
    assert decision.recorded_as is MessageKind.REPLY


def test_a_reply_on_an_unowned_ticket_goes_to_those_who_were_told() -> None:
    assert effect(decide(ticket(told=(BUDI.email,)), replied(), POLICY), Notify) == Notify((BUDI.email,))


@pytest.mark.parametrize("unread", ["", "too_large", "quarantined"])
def test_any_persons_reply_stops_the_timers(unread: str) -> None:
    decision = decide(waiting(), replied(unread=unread), POLICY)
    assert after(decision).timers == () and after(decision).status is Status.IN_PROGRESS
    if unread:
        notice = effect(decision, SendNotice)
        assert isinstance(notice, SendNotice) and notice.topic is Topic.REPLY_UNREAD and decision.recorded_as is None


@pytest.mark.parametrize("status", list(Status))
def test_a_robot_changes_nothing(status: Status) -> None:
    before = waiting() if status is Status.WAITING else ticket(status)
    decision = decide(before, RobotReplied(MONDAY + HOUR, ACHA), POLICY)
    assert decision.ticket == before and decision.effects == () and not decision.public


# Closed


def closed(reason: CloseReason = CloseReason.SOLVED, **more: object) -> Ticket:
    return ticket(Status.CLOSED, close_reason=reason, closed_at=MONDAY, agent=SALLY.email, **more)


@pytest.mark.parametrize("intent", [Intent.STILL_BROKEN, Intent.OTHER, Intent.STATUS])
def test_a_reply_to_a_closed_ticket_makes_a_follow_up_where_in_doubt(intent: Intent) -> None:
    decision = decide(closed(), replied(intent), POLICY)
    assert effect(decision, OpenFollowUp) == OpenFollowUp(Origin(12345, SALLY.email))
    assert decision.ticket == closed()


def test_thanks_are_recorded_and_open_nothing() -> None:
    decision = decide(closed(), replied(Intent.THANKS), POLICY)
    assert after(decision).status is Status.CLOSED and decision.recorded_as is MessageKind.REPLY
    assert not [e for e in decision.effects if isinstance(e, OpenFollowUp)]


def test_thanks_open_a_follow_up_where_the_desk_wants_it() -> None:
    decision = decide(closed(), replied(Intent.THANKS), replace(POLICY, thanks_open_follow_up=True))
    assert effect(decision, OpenFollowUp)


@pytest.mark.parametrize("intent", list(Intent))
def test_a_reply_to_spam_is_held(intent: Intent) -> None:
    assert effect(decide(closed(CloseReason.SPAM), replied(intent), POLICY), Hold)


# Answers


def test_an_answer_is_sent_owns_the_ticket_and_waits() -> None:
    before = ticket(participants=(Participant("c@d.id", "C"),))
    decision = decide(before, Answered(MONDAY, SALLY.email), POLICY)
    assert (after(decision).status, after(decision).agent) == (Status.WAITING, SALLY.email)
    assert effect(decision, SendAnswer) == SendAnswer((ACHA, Address("c@d.id", "C")), SALLY.email, 1)
    assert after(decision).timers == ()  # nothing runs before the SMTP server took it


def test_the_first_agent_who_answers_stays_the_agent_and_is_told_of_a_colleagues_answer() -> None:
    decision = decide(ticket(agent=SALLY.email), Answered(MONDAY, BUDI.email), POLICY)
    assert after(decision).agent == SALLY.email
    notice = effect(decision, SendNotice)
    assert isinstance(notice, SendNotice) and notice.to == (SALLY.email,) and notice.topic is Topic.COLLEAGUE_ACTED


def test_an_answer_on_a_closed_ticket_is_sent_and_starts_nothing() -> None:
    decision = decide(closed(), Answered(MONDAY, SALLY.email), POLICY)
    assert after(decision).status is Status.CLOSED and after(decision).timers == ()
    answer, notice = effect(decision, SendAnswer), effect(decision, SendNotice)
    assert isinstance(answer, SendAnswer) and answer.cycle == 0
    assert isinstance(notice, SendNotice) and notice.topic is Topic.ANSWERED_CLOSED


def test_timers_start_when_smtp_accepts_the_answer() -> None:
    accepted = MONDAY + timedelta(minutes=7)
    assert waiting(accepted).timers == (
        Timer(accepted + 6 * HOUR, TimerKind.REMINDER, 1),
        Timer(accepted + 24 * HOUR, TimerKind.REMINDER, 2),
        Timer(accepted + 48 * HOUR, TimerKind.CLOSE),
    )


def test_a_new_question_starts_the_timers_afresh() -> None:
    later = MONDAY + 20 * HOUR
    asked = after(decide(waiting(), Answered(later, SALLY.email), POLICY))
    assert asked.timers == () and asked.wait_cycle == 2
    stale = decide(asked, Delivered(later, MessageKind.ANSWER, ACHA.email, 1), POLICY)
    assert after(stale).timers == ()
    fresh = after(decide(asked, Delivered(later, MessageKind.ANSWER, ACHA.email, 2), POLICY))
    assert min(t.due_at for t in fresh.timers) == later + 6 * HOUR


@pytest.mark.parametrize("kind", [MessageKind.ANSWER, MessageKind.REMINDER])
def test_who_could_not_be_reached_is_neither_reminded_nor_closed(kind: MessageKind) -> None:
    decision = decide(waiting(), DeliveryFailed(MONDAY + HOUR, kind, ACHA.email, 1, "550 no such user"), POLICY)
    assert after(decision).timers == () and after(decision).status is Status.WAITING
    notice = effect(decision, SendNotice)
    assert isinstance(notice, SendNotice) and notice.to == (SALLY.email,) and notice.topic is Topic.DELIVERY_FAILED


def test_a_delay_stops_no_timer() -> None:
    before = waiting()
    decision = decide(before, DeliveryFailed(MONDAY, MessageKind.ANSWER, ACHA.email, 1, "4.4.1", soft=True), POLICY)
    assert after(decision).timers == before.timers


def test_a_failure_to_an_agent_is_told_to_the_leads() -> None:
    failed = DeliveryFailed(MONDAY, MessageKind.NOTIFICATION, SALLY.email, 0, "550")
    notice = effect(decide(ticket(agent=SALLY.email), failed, POLICY), SendNotice)
    assert isinstance(notice, SendNotice) and notice.to == (BUDI.email,)


# Timers


def fire(t: Ticket, at, policy: Policy = POLICY) -> Decision:  # type: ignore[no-untyped-def]
    return decide(t, TimerFired(at, tuple(x for x in t.timers if x.due_at <= at)), policy)


def accept_reminder(t: Ticket, at) -> Ticket:  # type: ignore[no-untyped-def]
    return after(decide(t, Delivered(at, MessageKind.REMINDER, ACHA.email, t.wait_cycle), POLICY))


def test_reminders_after_6_and_24_hours_then_closing_after_48() -> None:
    t = waiting()
    first = fire(t, MONDAY + 6 * HOUR)
    assert effect(first, SendReminder) == SendReminder((ACHA,), 1, False, MONDAY + 48 * HOUR, 1)
    t = accept_reminder(after(first), MONDAY + 6 * HOUR)
    second = fire(t, MONDAY + 24 * HOUR)
    assert effect(second, SendReminder) == SendReminder((ACHA,), 2, True, MONDAY + 48 * HOUR, 1)
    t = accept_reminder(after(second), MONDAY + 24 * HOUR)
    assert t.next_timer == Timer(MONDAY + 48 * HOUR, TimerKind.CLOSE)
    end = fire(t, MONDAY + 48 * HOUR)
    assert effect(end, SendClosure) == SendClosure((ACHA,), CloseReason.NO_REPLY)
    done = after(end)
    assert (done.status, done.close_reason, done.timers, done.reminders_sent) == (
        Status.CLOSED, CloseReason.NO_REPLY, (), 2,
    )  # fmt: skip


def test_after_downtime_one_reminder_then_six_hours_then_closing() -> None:
    back = MONDAY + 100 * HOUR
    decision = fire(waiting(), back)
    assert effect(decision, SendReminder) == SendReminder((ACHA,), 2, True, back + 6 * HOUR, 1)
    t = accept_reminder(after(decision), back + HOUR)  # the SMTP server was slow too
    assert t.next_timer == Timer(back + 7 * HOUR, TimerKind.CLOSE)
    assert after(fire(t, back + 7 * HOUR)).status is Status.CLOSED


def test_nothing_is_closed_while_the_reminder_waits_in_the_outbox() -> None:
    t = after(fire(waiting(), MONDAY + 24 * HOUR))
    late = fire(t, MONDAY + 72 * HOUR)
    assert after(late).status is Status.WAITING and late.effects == ()
    assert after(late).next_timer == Timer(MONDAY + 78 * HOUR, TimerKind.CLOSE)


def test_without_reminders_the_ticket_is_closed_in_time() -> None:
    policy = replace(POLICY, reminders=())
    asked = after(decide(ticket(), Answered(MONDAY, SALLY.email), policy))
    t = after(decide(asked, Delivered(MONDAY, MessageKind.ANSWER, ACHA.email, 1), policy))
    assert after(fire(t, MONDAY + 48 * HOUR, policy)).status is Status.CLOSED


def test_on_the_service_clock_nights_and_weekends_do_not_count() -> None:
    policy = replace(POLICY, service_clock=True)
    asked = after(decide(ticket(), Answered(MONDAY, SALLY.email), policy))
    t = after(decide(asked, Delivered(MONDAY, MessageKind.ANSWER, ACHA.email, 1), policy))
    assert t.timers[0].due_at == MONDAY + 6 * HOUR  # 10:00 + 6 h = 16:00, still open
    assert t.timers[1].due_at == MONDAY + 2 * 24 * HOUR + 6 * HOUR  # 7 + 9 h, then 8 h: Wednesday 16:00


def test_merged_people_are_told_to_the_owner_and_take_part() -> None:
    event = Absorbed(MONDAY, BUDI.email, 12344, (Participant("b@x.id", visible=False),))
    decision = decide(ticket(agent=SALLY.email), event, POLICY)
    assert after(decision).takes_part("b@x.id")
    notice = effect(decision, SendNotice)
    assert isinstance(notice, SendNotice) and notice.to == (SALLY.email,)


# Laws


PEOPLE = st.sampled_from([ACHA, Address("lain@x.id")])
AGENTS = st.sampled_from([SALLY.email, BUDI.email])
COMMANDS = st.lists(
    st.sampled_from([Verb.SOLVE, Verb.WAIT, Verb.PROCEED, Verb.TAKE, Verb.SPAM, Verb.NOTE]), max_size=2, unique=True
).map(lambda verbs: tuple(Command(v, f"#{v}", i + 1) for i, v in enumerate(verbs)))
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("reply"), PEOPLE, st.sampled_from(list(Intent))),
        st.tuples(st.just("robot"), PEOPLE, st.none()),
        st.tuples(st.just("answer"), AGENTS, COMMANDS),
        st.tuples(st.just("accepted"), st.sampled_from([MessageKind.ANSWER, MessageKind.REMINDER]), st.none()),
        st.tuples(st.just("failed"), st.sampled_from([MessageKind.ANSWER, MessageKind.ACKNOWLEDGEMENT]), st.none()),
        st.tuples(st.just("clock"), st.integers(1, 200), st.none()),
    ),
    max_size=25,
)


@settings(max_examples=300, deadline=None)
@given(STEPS)
def test_laws_of_a_life(steps: list[tuple[str, object, object]]) -> None:
    t, now = ticket(), MONDAY
    reminded_at = None
    for name, who, what in steps:
        now += timedelta(minutes=1)
        if name == "clock":
            now += who * HOUR  # type: ignore[operator]
            event: Event = TimerFired(now, tuple(x for x in t.timers if x.due_at <= now))
        elif name == "reply":
            event = Replied(now, who, Role.REQUESTER, what)  # type: ignore[arg-type]
        elif name == "robot":
            event = RobotReplied(now, who)  # type: ignore[arg-type]
        elif name == "answer":
            event = Answered(now, who, what)  # type: ignore[arg-type]
        elif name == "accepted":
            event = Delivered(now, who, ACHA.email, t.wait_cycle)  # type: ignore[arg-type]
        else:
            event = DeliveryFailed(now, who, ACHA.email, t.wait_cycle, "550")  # type: ignore[arg-type]
        decision = decide(t, event, POLICY)
        after_ = after(decision)
        assert not (t.status is Status.CLOSED and after_.status is not Status.CLOSED), "closed is never reopened"
        assert after_.timers == () or after_.status is Status.WAITING, "only a waiting ticket has timers"
        if name == "robot":
            assert after_ == t, "a robot changes nothing"
        if decision.refusals:
            assert after_ == t and not decision.effects and not decision.journal, "all or nothing"
        if after_.close_reason is CloseReason.NO_REPLY and t.status is Status.WAITING:
            assert name == "clock" and reminded_at is not None and now - reminded_at >= 6 * HOUR
        if name == "accepted" and who is MessageKind.REMINDER:
            reminded_at = now
        if after_.wait_cycle != t.wait_cycle:
            reminded_at = None
        assert len([e for e in decision.effects if isinstance(e, SendReminder)]) <= 1, "no burst of reminders"
        t = after_
