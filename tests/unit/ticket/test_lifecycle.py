"""The life cycle of a ticket: every row of the table, exact timers, and invariants."""

from dataclasses import replace
from datetime import timedelta
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.mail.message import Address, Intent, MessageKind
from mailbot.ticket.command_parser import Command, Verb
from mailbot.ticket.events import (
    Absorbed,
    Acknowledge,
    Answered,
    AutoReplied,
    Decision,
    Delivered,
    DeliveryFailed,
    Event,
    JournalEntry,
    Notify,
    OpenFollowUp,
    Origin,
    Quarantine,
    Replied,
    Reported,
    SendAnswer,
    SendClosure,
    SendNotice,
    SendReminder,
    TimerFired,
    Topic,
)
from mailbot.ticket.lifecycle import ROWS, decide
from mailbot.ticket.ticket import (
    CloseReason,
    Participant,
    Policy,
    Role,
    Status,
    Ticket,
    Timer,
    TimerKind,
)
from tests.support.desk_values import (
    ACHA,
    BUDI,
    HOUR,
    MONDAY,
    POLICY,
    SALLY,
    SUNDAY,
    ticket,
)


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
    assert after(decide(None, reported(), policy)).notified == (next_.email,)  # type: ignore[attr-defined]


def test_notify_none_notifies_nobody() -> None:
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
    assert (opened.agent, opened.notified) == ("", (SALLY.email, BUDI.email))


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


def test_a_reply_on_an_unowned_ticket_goes_to_those_who_were_notified() -> None:
    assert effect(decide(ticket(notified=(BUDI.email,)), replied(), POLICY), Notify) == Notify((BUDI.email,))


@pytest.mark.parametrize("unread", ["", "too_large", "quarantined"])
def test_any_persons_reply_stops_the_timers(unread: str) -> None:
    decision = decide(waiting(), replied(unread=unread), POLICY)
    assert after(decision).timers == () and after(decision).status is Status.IN_PROGRESS
    if unread:
        notice = effect(decision, SendNotice)
        assert isinstance(notice, SendNotice) and notice.topic is Topic.REPLY_UNREAD and decision.recorded_as is None


@pytest.mark.parametrize("status", list(Status))
def test_an_automatic_reply_changes_nothing(status: Status) -> None:
    before = waiting() if status is Status.WAITING else ticket(status)
    decision = decide(before, AutoReplied(MONDAY + HOUR, ACHA), POLICY)
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
def test_a_reply_to_spam_is_quarantined(intent: Intent) -> None:
    assert effect(decide(closed(CloseReason.SPAM), replied(intent), POLICY), Quarantine)


# Answers


def test_an_answer_is_sent_owns_the_ticket_and_waits() -> None:
    before = ticket(participants=(Participant("c@d.id", "C"),))
    decision = decide(before, Answered(MONDAY, SALLY.email), POLICY)
    assert (after(decision).status, after(decision).agent) == (Status.WAITING, SALLY.email)
    assert effect(decision, SendAnswer) == SendAnswer((ACHA, Address("c@d.id", "C")), SALLY.email, 1)
    assert after(decision).timers == ()  # nothing runs before the SMTP server accepts it


def test_the_first_agent_who_answers_stays_the_agent_and_is_notified_of_a_colleagues_answer() -> None:
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


def test_the_leads_are_notified_of_a_failure_to_an_agent() -> None:
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


def test_the_owner_is_notified_of_merged_people_who_take_part() -> None:
    event = Absorbed(MONDAY, BUDI.email, 12344, (Participant("b@x.id", visible=False),))
    decision = decide(ticket(agent=SALLY.email), event, POLICY)
    assert after(decision).takes_part("b@x.id")
    notice = effect(decision, SendNotice)
    assert isinstance(notice, SendNotice) and notice.to == (SALLY.email,)


# Exact effects of the rows: notifications, history, times

CECE = Address("cece@sekolah.example", "Cece")


def test_whose_words_make_a_follow_up_learns_its_number_beside_the_requester() -> None:
    def told(author: Address, origin: Origin | None) -> tuple[Address, ...]:
        acknowledge = effect(decide(None, reported(author=author, follow_up_of=origin), POLICY), Acknowledge)
        assert isinstance(acknowledge, Acknowledge)
        return acknowledge.to

    assert told(CECE, Origin(12344)) == (ACHA, CECE)
    assert told(ACHA, Origin(12344)) == (ACHA,)
    assert told(Address(ACHA.email, "Acha dari rumah"), Origin(12344)) == (ACHA,)  # one mail to one person
    assert told(CECE, None) == (ACHA,)


def test_a_follow_up_inherits_priority_and_program_unless_the_new_report_names_one() -> None:
    origin = Origin(1, program="BOSP", priority="urgent")
    inherited = after(decide(None, reported(follow_up_of=origin), POLICY))
    assert (inherited.priority, inherited.program) == ("urgent", "BOSP")
    named = after(decide(None, reported(follow_up_of=origin, program="ARKAS"), POLICY))
    assert named.program == "ARKAS"
    assert after(decide(None, reported(), POLICY)).priority == "normal"


def test_a_report_that_names_no_program_has_none() -> None:
    assert after(decide(None, reported(), POLICY)).program == ""


def test_a_new_ticket_has_its_first_lines_of_history_and_what_the_sender_named() -> None:
    decision = decide(None, reported(named=777, language="en"), POLICY)
    opened = after(decision)
    assert (opened.number, opened.subject, opened.language) == (12345, "Tidak bisa tutup BKU", "en")
    assert (opened.created_at, opened.updated_at, opened.follow_up_of) == (MONDAY, MONDAY, None)
    assert decision.journal == (JournalEntry(MONDAY, ACHA.email, "created", "", Status.QUEUED),)
    assert decision.recorded_as is MessageKind.REPORT and decision.public
    assert effect(decision, Notify) == Notify((SALLY.email, BUDI.email), named=777)


def test_a_follow_ups_history_names_the_old_ticket_and_a_forwarded_reports_the_agent() -> None:
    assert decide(None, reported(follow_up_of=Origin(12344)), POLICY).journal[1:] == (
        JournalEntry(MONDAY, "system", "follow_up_of", "", "12344"),
    )
    forwarded = decide(None, reported(by_agent=SALLY.email), POLICY)
    assert forwarded.journal == (JournalEntry(MONDAY, SALLY.email, "created", "", Status.QUEUED),)
    notice = effect(forwarded, SendNotice)
    assert isinstance(notice, SendNotice) and notice.facts == {"requester": ACHA.email}


def test_a_desk_of_one_agent_who_forwards_a_report_notifies_nobody() -> None:
    alone = replace(POLICY, agents=(SALLY,))
    decision = decide(None, reported(by_agent=SALLY.email), alone)
    assert not [e for e in decision.effects if isinstance(e, Notify)] and effect(decision, SendNotice)


def test_the_history_has_the_reply_before_the_status_that_it_changed() -> None:
    decision = decide(waiting(), replied(), POLICY)
    at = MONDAY + HOUR
    assert decision.journal == (
        JournalEntry(at, ACHA.email, "reply", "", ""),
        JournalEntry(at, ACHA.email, "status", "waiting", "in_progress"),
    )
    assert after(decision).updated_at == at
    unread = decide(ticket(), replied(unread="too_large"), POLICY)
    assert unread.journal == (JournalEntry(at, ACHA.email, "unread_reply", "", "too_large"),)
    notice = effect(unread, SendNotice)
    assert isinstance(notice, SendNotice) and notice.facts == {"author": ACHA.email, "why": "too_large"}


def test_the_agent_sees_that_a_reply_came_from_elsewhere() -> None:
    assert effect(decide(ticket(), replied(elsewhere=True), POLICY), Notify) == Notify(
        (SALLY.email, BUDI.email), elsewhere=True
    )


def test_where_nobody_is_notified_a_reply_is_only_recorded() -> None:
    nobody = replace(POLICY, notify="none")
    for unread in ("", "too_large"):
        decision = decide(ticket(notified=()), replied(unread=unread), nobody)
        assert decision.effects == () and after(decision).updated_at == MONDAY + HOUR


def test_an_owner_who_has_left_is_written_to_no_more() -> None:
    left = ticket(agent="gone@helpdesk.example", notified=("gone@helpdesk.example", BUDI.email))
    assert effect(decide(left, replied(), POLICY), Notify) == Notify((BUDI.email,))
    nobody_left = replace(left, notified=("gone@helpdesk.example",))
    assert effect(decide(nobody_left, replied(), POLICY), Notify) == Notify((SALLY.email, BUDI.email))


def test_people_join_once_and_those_who_take_part_are_never_put_out() -> None:
    present = tuple(Participant(f"guru{n}@sekolah.example") for n in range(12))
    more = (Participant(present[0].email, "Guru Satu"), Participant(CECE.email))
    heard = after(decide(ticket(participants=present), replied(participants=more), POLICY))
    assert heard.participants == present  # a merge had brought more than the limit
    joined = after(decide(ticket(participants=present[:9]), replied(participants=more), POLICY))
    assert joined.participants == (*present[:9], Participant(CECE.email))


def test_unread_words_on_a_closed_ticket_notify_its_agent_and_open_nothing() -> None:
    decision = decide(closed(), replied(Intent.STILL_BROKEN, unread="too_large"), POLICY)
    notice = effect(decision, SendNotice)
    assert isinstance(notice, SendNotice) and notice.topic is Topic.REPLY_UNREAD
    assert after(decision).status is Status.CLOSED and len(decision.effects) == 1


def test_a_quarantined_reply_names_the_ticket_that_was_spam() -> None:
    hold = effect(decide(closed(CloseReason.SPAM), replied(), POLICY), Quarantine)
    assert hold == Quarantine("reply to ticket #12345, which was closed as spam")


def test_a_follow_up_takes_owner_program_and_priority_along() -> None:
    old = closed(program="BOSP", priority="high")
    assert effect(decide(old, replied(), POLICY), OpenFollowUp) == OpenFollowUp(
        Origin(12345, SALLY.email, "BOSP", "high")
    )


def test_an_automatic_reply_is_in_the_history_with_its_return_date() -> None:
    event = AutoReplied(MONDAY, ACHA, "2025-11-10")
    decision = decide(ticket(), event, POLICY)
    assert decision.journal == (JournalEntry(MONDAY, ACHA.email, "auto_reply", "", "2025-11-10"),)
    assert decision.recorded_as is MessageKind.AUTO_REPLY


def test_a_second_acceptance_of_the_same_question_moves_no_deadline() -> None:
    before = waiting()
    again = Delivered(MONDAY + 5 * HOUR, MessageKind.ANSWER, ACHA.email, before.wait_cycle)
    assert after(decide(before, again, POLICY)) == before


def test_an_accepted_reminder_moves_the_closing_only_where_it_came_late() -> None:
    before = waiting()
    early = accept_reminder(before, MONDAY + 7 * HOUR)
    assert early.last_reminder_at == MONDAY + 7 * HOUR and early.timers == before.timers
    late = accept_reminder(before, MONDAY + 47 * HOUR)
    assert late.timers[-1] == Timer(MONDAY + 53 * HOUR, TimerKind.CLOSE)
    assert late.timers[:-1] == before.timers[:-1]  # a reminder is due when it is due


def test_an_old_questions_failure_stops_nothing_and_other_mail_stops_nothing() -> None:
    before = waiting()
    for kind, cycle in ((MessageKind.ANSWER, 0), (MessageKind.ACKNOWLEDGEMENT, before.wait_cycle)):
        decision = decide(before, DeliveryFailed(MONDAY + HOUR, kind, ACHA.email, cycle, "550"), POLICY)
        assert after(decision).timers == before.timers


def test_a_failure_notice_has_its_facts_and_is_in_the_history() -> None:
    failed = DeliveryFailed(MONDAY + HOUR, MessageKind.ANSWER, ACHA.email, 1, "550 no such user")
    for before in (waiting(), ticket(agent=SALLY.email)):
        decision = decide(before, failed, POLICY)
        facts = {"recipient": ACHA.email, "reason": "550 no such user", "kind": "answer"}
        assert effect(decision, SendNotice) == SendNotice((SALLY.email,), Topic.DELIVERY_FAILED, facts)
        assert decision.journal == (
            JournalEntry(MONDAY + HOUR, "system", "delivery_failed", ACHA.email, "550 no such user"),
        )
        assert after(decision).updated_at == MONDAY + HOUR
    delayed = decide(ticket(agent=SALLY.email), replace(failed, soft=True), POLICY)
    notice = effect(delayed, SendNotice)
    assert isinstance(notice, SendNotice) and notice.topic is Topic.DELIVERY_DELAYED
    assert delayed.journal[0].kind == "delivery_delayed"


def test_nobody_is_notified_of_a_failure_to_themselves() -> None:
    alone = replace(POLICY, agents=(BUDI,))
    failed = DeliveryFailed(MONDAY, MessageKind.NOTIFICATION, BUDI.email, 0, "550")
    assert decide(ticket(agent=BUDI.email), failed, alone).effects == ()
    unheard = replace(POLICY, notify="none")
    to_acha = replace(failed, recipient=ACHA.email)
    notice = effect(decide(ticket(notified=()), to_acha, unheard), SendNotice)
    assert isinstance(notice, SendNotice) and notice.to == (BUDI.email,)  # a lead, where nobody follows the ticket


def test_deadlines_that_the_ticket_has_no_more_do_nothing() -> None:
    before = waiting()
    stale = TimerFired(MONDAY + 7 * HOUR, (Timer(MONDAY + HOUR, TimerKind.REMINDER, 1),))
    assert decide(before, stale, POLICY) == Decision(before)
    mixed = TimerFired(MONDAY + 7 * HOUR, (*stale.due, before.timers[0]))
    reminder = effect(decide(before, mixed, POLICY), SendReminder)
    assert isinstance(reminder, SendReminder) and reminder.step == 1


def test_a_closing_that_is_due_alone_and_unreminded_reminds_first() -> None:
    unreminded = replace(waiting(), timers=(Timer(MONDAY + 48 * HOUR, TimerKind.CLOSE),))
    at = MONDAY + 48 * HOUR
    decision = fire(unreminded, at)
    assert effect(decision, SendReminder) == SendReminder((ACHA,), 2, True, at + 6 * HOUR, 1)
    assert after(decision).reminders_sent == 1 and after(decision).updated_at == at
    assert decision.journal == (JournalEntry(at, "system", "reminder", "", "2"),)


def test_a_reminder_that_is_sent_in_place_of_the_closing_is_the_last() -> None:
    late_reminder = Timer(MONDAY + 72 * HOUR, TimerKind.REMINDER, 2)  # the delays were changed in the meantime
    t = replace(waiting(), timers=(Timer(MONDAY + 48 * HOUR, TimerKind.CLOSE), late_reminder))
    reminded = after(fire(t, MONDAY + 48 * HOUR))
    assert [x.kind for x in reminded.timers] == [TimerKind.CLOSE]


def test_a_reminder_is_accepted_also_where_the_desk_reminds_nobody_any_more() -> None:
    before = waiting()
    at = MONDAY + 6 * HOUR
    event = Delivered(at, MessageKind.REMINDER, ACHA.email, before.wait_cycle)
    assert after(decide(before, event, replace(POLICY, reminders=()))) == replace(before, last_reminder_at=at)


def test_the_first_reminder_leaves_the_second_and_the_closing() -> None:
    t = after(fire(waiting(), MONDAY + 6 * HOUR))
    assert [(x.kind, x.step) for x in t.timers] == [(TimerKind.REMINDER, 2), (TimerKind.CLOSE, 0)]
    assert t.reminders_sent == 1


def test_a_closing_is_put_off_by_the_reminder_that_was_accepted_not_by_the_moment_of_looking() -> None:
    t = replace(
        waiting(), timers=(Timer(MONDAY + 48 * HOUR, TimerKind.CLOSE),), reminders_sent=1,
        last_reminder_at=MONDAY + 47 * HOUR,
    )  # fmt: skip
    put_off = after(fire(t, MONDAY + 49 * HOUR))
    assert put_off.timers == (Timer(MONDAY + 53 * HOUR, TimerKind.CLOSE),)


def test_participants_get_the_closure_and_the_history_has_who_closed() -> None:
    t = replace(waiting(), participants=(Participant(CECE.email, CECE.name),), reminders_sent=1,
                last_reminder_at=MONDAY + 24 * HOUR)  # fmt: skip
    at = MONDAY + 48 * HOUR
    decision = fire(replace(t, timers=t.timers[-1:]), at)
    assert effect(decision, SendClosure) == SendClosure((ACHA, CECE), CloseReason.NO_REPLY)
    assert decision.journal == (JournalEntry(at, "system", "status", "waiting", "closed"),)
    assert (after(decision).closed_at, after(decision).updated_at) == (at, at)


def test_a_merge_is_in_the_history_of_the_ticket_that_took_the_other_in() -> None:
    event = Absorbed(MONDAY + HOUR, BUDI.email, 12344)
    decision = decide(ticket(agent=SALLY.email), event, POLICY)
    assert decision.journal == (JournalEntry(MONDAY + HOUR, BUDI.email, "absorbed", "12344", "12345"),)
    assert effect(decision, SendNotice) == SendNotice(
        (SALLY.email,), Topic.MERGED, {"actor": BUDI.email, "source": "12344"}
    )
    assert after(decision).updated_at == MONDAY + HOUR
    assert decide(ticket(agent=BUDI.email), event, POLICY).effects == ()  # their own action


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
            event = AutoReplied(now, who)  # type: ignore[arg-type]
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
