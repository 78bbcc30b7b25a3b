"""Agents' commands: the effect of each, all or nothing, and who is notified."""

from dataclasses import replace
from datetime import datetime

import pytest

from mailbot.mail.message import Address, MessageKind
from mailbot.ticket.command_parser import (
    Command,
    Fault,
    Verb,
)
from mailbot.ticket.events import (
    Absorb,
    Acknowledge,
    Answered,
    Decision,
    SendAnswer,
    SendClosure,
    SendHelp,
    SendNotice,
    Target,
    Topic,
)
from mailbot.ticket.lifecycle import decide
from mailbot.ticket.ticket import (
    CloseReason,
    Participant,
    Status,
    Ticket,
    TimerKind,
    ask_again,
    wait_from,
)
from tests.support.desk_values import (
    ACHA,
    BUDI,
    HOUR,
    MONDAY,
    POLICY,
    SALLY,
    ticket,
)


def run(before: Ticket, *commands: Command, words: bool = False, targets: tuple[Target, ...] = ()) -> Decision:
    event = Answered(MONDAY, SALLY.email, commands, words, {t.number: t for t in targets})
    return decide(before, event, POLICY)


def command(verb: Verb, **more: object) -> Command:
    return Command(verb, f"#{verb}", 1, **more)  # type: ignore[arg-type]


def kinds(decision: Decision) -> list[type]:
    return [type(e) for e in decision.effects]


def after(decision: Decision) -> Ticket:
    assert decision.ticket is not None
    assert not decision.refusals, decision.refusals
    return decision.ticket


def test_solved_with_words_is_one_mail() -> None:
    decision = run(ticket(), command(Verb.SOLVE), words=True)
    assert decision.effects == (SendClosure((ACHA,), CloseReason.SOLVED, True, SALLY.email),)
    done = after(decision)
    assert (done.status, done.close_reason, done.closed_at, done.agent) == (
        Status.CLOSED, CloseReason.SOLVED, MONDAY, SALLY.email,
    )  # fmt: skip


def test_solved_without_words_sends_the_plain_closure() -> None:
    assert run(ticket(), command(Verb.SOLVE)).effects == (SendClosure((ACHA,), CloseReason.SOLVED, False, SALLY.email),)


def test_proceed_sends_the_words_and_starts_no_timers() -> None:
    decision = run(ticket(), command(Verb.PROCEED), words=True)
    assert after(decision).status is Status.IN_PROGRESS and kinds(decision) == [SendAnswer]


def test_wait_without_words_runs_from_now() -> None:
    decision = run(ticket(agent=SALLY.email), command(Verb.WAIT))
    waiting = after(decision)
    assert waiting.status is Status.WAITING and decision.effects == ()
    assert [(t.kind, t.due_at) for t in waiting.timers][-1] == (TimerKind.CLOSE, MONDAY + 48 * HOUR)


def test_a_note_reaches_nobody_outside_and_changes_no_status() -> None:
    decision = run(ticket(agent=BUDI.email), command(Verb.NOTE), words=True)
    assert after(decision).status is Status.QUEUED
    assert kinds(decision) == [SendNotice] and decision.recorded_as is MessageKind.NOTE and not decision.public


def test_take_moves_a_queued_ticket_into_progress() -> None:
    taken = after(run(ticket(), command(Verb.TAKE)))
    assert (taken.agent, taken.status) == (SALLY.email, Status.IN_PROGRESS)


def test_taking_from_a_colleague_tells_the_colleague() -> None:
    decision = run(ticket(Status.IN_PROGRESS, agent=BUDI.email), command(Verb.TAKE))
    assert after(decision).agent == SALLY.email
    [notice] = decision.effects
    assert isinstance(notice, SendNotice) and notice.to == (BUDI.email,)


def test_assign_tells_the_new_agent_once() -> None:
    decision = run(ticket(), command(Verb.ASSIGN, email=BUDI.email))
    assert after(decision).agent == BUDI.email
    assert decision.effects == (SendNotice((BUDI.email,), Topic.ASSIGNED, {"actor": SALLY.email}),)


def test_assign_with_an_answer_sends_the_answer_and_hands_over() -> None:
    decision = run(ticket(), command(Verb.ASSIGN, email=BUDI.email), words=True)
    assert after(decision).agent == BUDI.email and kinds(decision) == [SendNotice, SendAnswer]


def test_assign_to_somebody_else_is_refused_with_the_possible_ones() -> None:
    [refusal] = run(ticket(), command(Verb.ASSIGN, email="x@y.id"), words=True).refusals
    assert refusal.fault is Fault.NO_SUCH_AGENT and refusal.possible == (SALLY.email, BUDI.email)


def test_one_wrong_command_stops_all() -> None:
    before = ticket()
    decision = run(before, command(Verb.SOLVE), command(Verb.ASSIGN, email="x@y.id"), words=True)
    assert (decision.ticket, decision.effects, decision.journal) == (before, (), ())


def test_spam_closes_silently() -> None:
    decision = run(ticket(), command(Verb.SPAM))
    assert after(decision).close_reason is CloseReason.SPAM and decision.effects == ()


def test_merge_closes_this_ticket_and_brings_its_people() -> None:
    before = ticket(participants=(Participant("c@d.id"),))
    decision = run(before, command(Verb.MERGE, number=7), targets=(Target(7, ACHA.email, Status.QUEUED),))
    merged = after(decision)
    assert (merged.status, merged.close_reason, merged.merged_into) == (Status.CLOSED, CloseReason.MERGED, 7)
    assert decision.effects == (Absorb(7, 12345, (Participant("c@d.id"),)),)


def test_merge_of_another_requesters_ticket_needs_force_and_then_hides_everybody() -> None:
    target = Target(7, "lain@x.id", Status.QUEUED)
    [refusal] = run(ticket(), command(Verb.MERGE, number=7), targets=(target,)).refusals
    assert refusal.fault is Fault.OTHER_REQUESTER and refusal.possible == ("#gabung 7 paksa",)
    forced = run(ticket(), command(Verb.MERGE, number=7, force=True), targets=(target,))
    assert forced.effects == (Absorb(7, 12345, (Participant(ACHA.email, ACHA.name, visible=False),)),)


@pytest.mark.parametrize(
    ("target", "fault"),
    [
        (None, Fault.NO_SUCH_TICKET),
        (Target(12345, ACHA.email, Status.QUEUED), Fault.SAME_TICKET),
        (Target(7, ACHA.email, Status.CLOSED, 12345), Fault.SAME_TICKET),
        (Target(7, ACHA.email, Status.CLOSED, 8), Fault.ALREADY_MERGED),
    ],
)
def test_merges_that_lead_nowhere_are_refused(target: Target | None, fault: Fault) -> None:
    number = target.number if target else 7
    decision = run(ticket(), command(Verb.MERGE, number=number), targets=(target,) if target else ())
    assert [r.fault for r in decision.refusals] == [fault]


def test_priority_tags_program_and_requester_are_set() -> None:
    new = command(Verb.REQUESTER, email="baru@sekolah.example")
    decision = run(
        ticket(tags=("bku",)), command(Verb.PRIORITY, value="urgent"), command(Verb.TAG, values=("arkas", "bku")),
        command(Verb.PROGRAM, value="BOS"), new,
    )  # fmt: skip
    set_ = after(decision)
    assert (set_.priority, set_.tags, set_.program) == ("urgent", ("bku", "arkas"), "BOS")
    assert set_.requester.email == "baru@sekolah.example" and not set_.takes_part(ACHA.email)
    assert kinds(decision) == [Acknowledge] and set_.status is Status.QUEUED


def test_help_is_sent_and_changes_nothing() -> None:
    before = ticket()
    decision = run(before, command(Verb.HELP))
    assert decision.effects == (SendHelp(SALLY.email),) and decision.ticket == replace(before, updated_at=MONDAY)


@pytest.mark.parametrize("verb", [Verb.WAIT, Verb.PROCEED, Verb.TAKE])
def test_closed_is_never_reopened(verb: Verb) -> None:
    before = ticket(Status.CLOSED, close_reason=CloseReason.SOLVED)
    assert [r.fault for r in run(before, command(verb), words=True).refusals] == [Fault.ALREADY_CLOSED]


def test_solved_again_with_words_is_an_answer_on_the_closed_ticket() -> None:
    before = ticket(Status.CLOSED, close_reason=CloseReason.NO_REPLY, agent=SALLY.email)
    decision = run(before, command(Verb.SOLVE), words=True)
    assert kinds(decision) == [SendAnswer, SendNotice] and after(decision).close_reason is CloseReason.NO_REPLY


def test_an_empty_mail_is_refused() -> None:
    assert [r.fault for r in run(ticket()).refusals] == [Fault.NEEDS_WORDS]


def test_every_verb_has_its_handler() -> None:
    from mailbot.ticket.agent_commands import HANDLERS

    assert set(HANDLERS) == set(Verb)


def test_words_on_a_ticket_that_is_merged_go_out_before_it_closes() -> None:
    target = Target(12346, ACHA.email, Status.QUEUED)
    decision = run(ticket(), Command(Verb.MERGE, "#gabung 12346", 1, number=12346), words=True, targets=(target,))
    assert SendAnswer in kinds(decision) and SendClosure not in kinds(decision)
    assert after(decision).close_reason is CloseReason.MERGED


def test_a_merged_ticket_can_be_no_spam_and_a_solved_one_can() -> None:
    merged = ticket(Status.CLOSED, close_reason=CloseReason.MERGED, merged_into=12346)
    assert [r.fault for r in run(merged, command(Verb.SPAM)).refusals] == [Fault.ALREADY_MERGED]
    solved = ticket(Status.CLOSED, close_reason=CloseReason.SOLVED)
    decision = run(solved, command(Verb.SPAM))
    assert after(decision).close_reason is CloseReason.SPAM
    assert ("close_reason", "solved", "spam") in [(e.kind, e.from_, e.to) for e in decision.journal]


def test_a_note_without_words_and_an_unknown_macro_are_refused() -> None:
    assert [r.fault for r in run(ticket(), command(Verb.NOTE)).refusals] == [Fault.NEEDS_WORDS]
    assert [r.fault for r in run(ticket(), command(Verb.MACRO, value="x")).refusals] == [Fault.NO_SUCH_MACRO]


def test_a_requester_who_is_one_already_changes_nothing_and_the_desk_can_be_none() -> None:
    same = run(ticket(), command(Verb.REQUESTER, email=ACHA.email))
    assert after(same).requester == ACHA and same.effects == () and same.journal == ()
    assert [r.fault for r in run(ticket(), command(Verb.REQUESTER, email=BUDI.email)).refusals] == [Fault.BAD_ARGUMENT]


def test_taking_what_is_ones_own_and_assigning_to_its_owner_change_nothing() -> None:
    own = ticket(Status.IN_PROGRESS, agent=SALLY.email)
    assert run(own, command(Verb.TAKE)).journal == ()
    assert run(own, command(Verb.ASSIGN, email=SALLY.email)).effects == ()


def test_the_history_says_what_was_changed_from_what_to_what() -> None:
    before = ticket(Status.IN_PROGRESS, agent=BUDI.email, tags=("a",), program="ARKAS")
    decision = run(
        before, command(Verb.TAKE), command(Verb.TAG, values=("b",)), command(Verb.PROGRAM, value="Dapodik"),
        command(Verb.SOLVE),
    )  # fmt: skip
    assert [(e.kind, e.from_, e.to) for e in decision.journal] == [
        ("agent", BUDI.email, SALLY.email),
        ("tags", "a", "a b"),
        ("program", "ARKAS", "Dapodik"),
        ("status", "in_progress", "closed"),
    ]


def test_a_new_requester_gets_the_opening_time_only_while_the_desk_is_closed() -> None:
    def opening(at: datetime) -> datetime | None:
        event = Answered(at, SALLY.email, (command(Verb.REQUESTER, email="baru@sekolah.example"),), False, {})
        [effect] = [e for e in decide(ticket(), event, POLICY).effects if isinstance(e, Acknowledge)]
        return effect.opens_at

    assert opening(MONDAY) is None
    assert opening(MONDAY + 12 * HOUR) == MONDAY.replace(hour=1) + 24 * HOUR


def test_a_new_requester_is_not_reminded_of_what_another_was_asked() -> None:
    waiting = wait_from(ask_again(ticket(agent=SALLY.email)), MONDAY, POLICY)
    moved = run(waiting, command(Verb.REQUESTER, email="baru@sekolah.example"))
    assert (after(moved).status, after(moved).timers) == (Status.IN_PROGRESS, ())
    asked = run(waiting, command(Verb.REQUESTER, email="baru@sekolah.example"), words=True)
    assert after(asked).status is Status.WAITING and after(asked).wait_cycle == waiting.wait_cycle + 1
    assert after(asked).timers == ()  # they start when the new requester's copy is accepted


# History, notifications and owner


def notice_of(decision: Decision, topic: Topic) -> SendNotice:
    [notice] = [e for e in decision.effects if isinstance(e, SendNotice) and e.topic is topic]
    return notice


def closed(reason: CloseReason = CloseReason.SOLVED, **more: object) -> Ticket:
    return ticket(Status.CLOSED, close_reason=reason, closed_at=MONDAY - HOUR, **more)


def test_a_spammer_gets_no_words_whatever_the_ticket_was() -> None:
    for before in (ticket(agent=SALLY.email), closed(agent=SALLY.email)):
        decision = run(before, command(Verb.SPAM), words=True)
        assert decision.effects == () and after(decision).close_reason is CloseReason.SPAM
        assert decision.recorded_as is MessageKind.NOTE and not decision.public


def test_spam_and_what_is_merged_get_no_owner_and_spam_of_a_closed_ticket_is_in_its_history() -> None:
    assert after(run(ticket(), command(Verb.SPAM))).agent == ""
    merged = run(ticket(), command(Verb.MERGE, number=7), targets=(Target(7, ACHA.email, Status.QUEUED),))
    assert after(merged).agent == ""
    assert [(e.kind, e.from_, e.to) for e in merged.journal] == [
        ("merged_into", "12345", "7"), ("status", "queued", "closed")
    ]  # fmt: skip
    assert [(e.at, e.actor, e.kind) for e in run(closed(), command(Verb.SPAM)).journal] == [
        (MONDAY, SALLY.email, "close_reason")
    ]
    assert [e.kind for e in run(ticket(), command(Verb.SPAM)).journal] == ["status"]


@pytest.mark.parametrize("verb", [Verb.WAIT, Verb.PROCEED, Verb.SOLVE])
def test_who_moves_an_unowned_ticket_becomes_its_agent(verb: Verb) -> None:
    decision = run(ticket(), command(verb))
    assert after(decision).agent == SALLY.email
    first = decision.journal[0]
    assert (first.kind, first.from_, first.to) == ("agent", "", SALLY.email)


@pytest.mark.parametrize("verb", [Verb.NOTE, Verb.HELP, Verb.TAG])
def test_who_only_notes_or_asks_becomes_no_agent(verb: Verb) -> None:
    decision = run(ticket(), command(verb, values=("x",)), words=verb is Verb.NOTE)
    assert after(decision).agent == "" and after(decision).status is Status.QUEUED


def test_the_first_words_on_a_closed_ticket_of_nobody_make_their_writer_its_agent() -> None:
    assert after(run(closed(), words=True)).agent == SALLY.email
    assert after(run(closed(CloseReason.SPAM), words=True)).agent == ""


def test_an_answer_is_recorded_as_one_and_seen_by_people() -> None:
    decision = run(ticket(agent=SALLY.email), words=True)
    assert decision.recorded_as is MessageKind.ANSWER and decision.public
    assert run(ticket(), command(Verb.TAKE)).recorded_as is None


def test_the_owner_is_notified_of_what_a_colleague_did() -> None:
    owned = ticket(Status.IN_PROGRESS, agent=BUDI.email)
    topic = Topic.COLLEAGUE_ACTED
    answered = run(owned, words=True)
    assert notice_of(answered, topic) == SendNotice((BUDI.email,), topic, {"actor": SALLY.email, "did": "answer"})
    noted = run(owned, command(Verb.NOTE), words=True)
    assert notice_of(noted, topic).facts == {"actor": SALLY.email, "did": "note"}
    tagged = run(owned, command(Verb.TAG, values=("bku",)))
    assert notice_of(tagged, topic).facts == {"actor": SALLY.email, "did": "commands"}
    assert run(owned, command(Verb.HELP)).effects == (SendHelp(SALLY.email),)  # nothing of the ticket was touched


def test_an_owner_who_has_left_is_not_notified_and_a_new_owner_is_notified_once() -> None:
    left = ticket(Status.IN_PROGRESS, agent="gone@helpdesk.example")
    assert kinds(run(left, words=True)) == [SendAnswer]
    handed = run(ticket(Status.IN_PROGRESS, agent=SALLY.email), command(Verb.ASSIGN, email=BUDI.email), words=True)
    assert [n.topic for n in handed.effects if isinstance(n, SendNotice)] == [Topic.ASSIGNED]


def test_an_agents_alias_is_handed_the_ticket_by_their_own_address() -> None:
    decision = run(ticket(agent=BUDI.email), command(Verb.ASSIGN, email=SALLY.aliases[0]))
    assert after(decision).agent == SALLY.email
    assert [n.topic for n in decision.effects if isinstance(n, SendNotice)] == [Topic.COLLEAGUE_ACTED]
    assert ("agent", BUDI.email, SALLY.email) in [(e.kind, e.from_, e.to) for e in decision.journal]


def test_taking_moves_only_a_queued_ticket_and_only_the_first_time() -> None:
    asked = wait_from(ask_again(ticket(agent=BUDI.email)), MONDAY, POLICY)
    taken = after(run(asked, command(Verb.TAKE)))
    assert (taken.agent, taken.status, taken.timers) == (SALLY.email, Status.WAITING, asked.timers)
    again = after(run(ticket(agent=SALLY.email), command(Verb.TAKE)))
    assert again.status is Status.QUEUED  # hers already: nothing was taken
    handed = after(run(ticket(), command(Verb.ASSIGN, email=BUDI.email)))
    assert handed.status is Status.QUEUED  # the new agent has not looked at it yet


def test_closing_ends_the_waiting() -> None:
    asked = wait_from(ask_again(ticket(agent=SALLY.email)), MONDAY, POLICY)
    for verb in (Verb.SOLVE, Verb.SPAM, Verb.PROCEED):
        moved = after(run(asked, command(verb)))
        assert (moved.timers, moved.waiting_since) == ((), None)


def test_words_start_a_new_question_and_go_out_under_its_number() -> None:
    asked = wait_from(ask_again(ticket(agent=SALLY.email, participants=(Participant("c@d.id"),))), MONDAY, POLICY)
    [answer] = run(asked, command(Verb.WAIT), words=True).effects
    assert isinstance(answer, SendAnswer) and answer.cycle == 2 and answer.agent == SALLY.email
    assert [a.email for a in answer.to] == [ACHA.email, "c@d.id"]
    [proceeding] = run(asked, command(Verb.PROCEED), words=True).effects
    assert isinstance(proceeding, SendAnswer) and proceeding.cycle == 1


def test_the_status_after_an_answer_without_commands_is_configured() -> None:
    in_progress = replace(POLICY, after_reply=Status.IN_PROGRESS)
    decision = decide(ticket(), Answered(MONDAY, SALLY.email), in_progress)
    assert after(decision).status is Status.IN_PROGRESS and kinds(decision) == [SendAnswer]
    closing = replace(POLICY, after_reply=Status.CLOSED)
    assert decide(ticket(), Answered(MONDAY, SALLY.email), closing).effects == (
        SendClosure((ACHA,), CloseReason.SOLVED, True, SALLY.email),
    )


def test_words_with_a_merge_go_out_under_the_agents_name_before_it_closes() -> None:
    target = Target(7, ACHA.email, Status.QUEUED)
    decision = run(ticket(agent=SALLY.email), command(Verb.MERGE, number=7), words=True, targets=(target,))
    assert decision.effects == (Absorb(7, 12345, ()), SendAnswer((ACHA,), SALLY.email, 0))


def test_solving_a_closed_ticket_needs_words_and_noting_on_one_sends_none() -> None:
    assert [r.fault for r in run(closed(), command(Verb.SOLVE)).refusals] == [Fault.ALREADY_CLOSED]
    assert [r.fault for r in run(closed(), command(Verb.SOLVE), command(Verb.NOTE), words=True).refusals] == [
        Fault.ALREADY_CLOSED
    ]
    noted = run(closed(agent=SALLY.email), command(Verb.NOTE), words=True)
    assert noted.effects == () and after(noted).status is Status.CLOSED


def test_each_refusal_has_its_line_what_was_written_and_what_is_possible() -> None:
    def refusal(before: Ticket, one: Command, *targets: Target) -> tuple[object, ...]:
        [found] = run(before, one, targets=targets).refusals
        return (found.fault, found.line, found.line_number, found.found, found.possible)

    line = Command(Verb.MERGE, "#gabung 7", 3, number=7)
    assert refusal(ticket(), line) == (Fault.NO_SUCH_TICKET, "#gabung 7", 3, "7", ())
    assert refusal(ticket(), line, Target(7, ACHA.email, Status.CLOSED, 8)) == (
        Fault.ALREADY_MERGED, "#gabung 7", 3, "7", ("#gabung 8",)
    )  # fmt: skip
    merged = closed(CloseReason.MERGED, merged_into=9)
    assert refusal(merged, line, Target(7, ACHA.email, Status.QUEUED))[3:] == ("9", ())
    assert refusal(merged, command(Verb.SPAM))[3:] == ("9", ())
    assert refusal(ticket(), line, Target(7, "lain@x.id", Status.QUEUED))[3] == "7"
    assert refusal(ticket(), Command(Verb.ASSIGN, "#oper x@y.id", 1, email="x@y.id"))[3] == "x@y.id"
    assert refusal(ticket(), command(Verb.MACRO, value="salam"))[3] == "salam"
    [empty] = run(ticket()).refusals
    assert (empty.fault, empty.line, empty.line_number, empty.found) == (Fault.NEEDS_WORDS, "", 1, "")
    own = Command(Verb.MERGE, "#gabung 12345", 1, number=12345)
    assert refusal(ticket(), own, Target(12345, ACHA.email, Status.QUEUED))[3] == "12345"
    assert refusal(ticket(), command(Verb.REQUESTER, email=BUDI.email))[3] == BUDI.email


def test_a_refusal_that_finds_nothing_strange_shows_nothing() -> None:
    [refusal] = run(closed(), command(Verb.WAIT)).refusals
    assert (refusal.found, refusal.possible) == ("", ())


def test_what_was_closed_for_no_known_reason_can_become_spam() -> None:
    decision = run(replace(closed(), close_reason=None), command(Verb.SPAM))
    assert [(e.kind, e.from_, e.to) for e in decision.journal] == [("close_reason", "", "spam")]


def test_the_desks_own_address_is_no_requester_not_even_with_something_behind_a_plus() -> None:
    policy = replace(POLICY, own_addresses=("support@helpdesk.example",))
    for email in ("support@helpdesk.example", "support+rumah@helpdesk.example"):
        event = Answered(MONDAY, SALLY.email, (command(Verb.REQUESTER, email=email),), False, {})
        assert [r.fault for r in decide(ticket(), event, policy).refusals] == [Fault.BAD_ARGUMENT]


def test_a_participant_who_becomes_the_requester_takes_part_once() -> None:
    before = ticket(participants=(Participant("c@d.id"), Participant("e@f.id")))
    decision = run(before, command(Verb.REQUESTER, email="c@d.id"))
    assert [p.email for p in after(decision).participants] == ["e@f.id"]
    assert [(e.kind, e.from_, e.to) for e in decision.journal] == [("requester", ACHA.email, "c@d.id")]
    [acknowledge] = decision.effects
    assert isinstance(acknowledge, Acknowledge) and acknowledge.to == (Address("c@d.id"),)


def test_a_forced_merge_hides_the_participants_too() -> None:
    before = ticket(participants=(Participant("c@d.id", "C"),))
    forced = run(before, command(Verb.MERGE, number=7, force=True), targets=(Target(7, "lain@x.id", Status.QUEUED),))
    [absorb] = forced.effects
    assert isinstance(absorb, Absorb) and [p.visible for p in absorb.participants] == [False, False]


def test_priority_and_program_are_in_the_history() -> None:
    before = ticket(tags=("a", "b"))
    decision = run(before, command(Verb.PRIORITY, value="high"), command(Verb.TAG, values=("c",)))
    assert [(e.kind, e.from_, e.to) for e in decision.journal] == [
        ("priority", "normal", "high"), ("tags", "a b", "a b c")
    ]  # fmt: skip
