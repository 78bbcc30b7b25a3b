"""The laws of the desk, each checked from outside: on what was sent, and on what an admin can ask for.

One function for each law. `world` is asked, nothing is changed. What a law says stands in its docstring; where it
comes from is docs/developer/rules.md.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from mailbot.store.tables import OUTBOX
from tests.laws.world import (
    AGENTS,
    CANARY,
    PARTICIPANTS,
    REQUESTERS,
    STRANGER,
    World,
)
from tests.support.outgoing import inspect
from tests.support.people import ADDRESS, Sent

Tickets = dict[int, dict[str, Any]]

AUTOMATIC = {"acknowledgement": "auto-replied", "reminder": "auto-generated", "status": "auto-replied"}
OUTSIDE = (*REQUESTERS, *PARTICIPANTS, STRANGER)
SIX_HOURS, TWO_DAYS = timedelta(hours=6), timedelta(hours=48)


def every_mail_is_kept_once(world: World) -> None:
    """Each mail that was fetched is one decided row (others are marked as duplicates), and at most one message."""
    rows = world.inbound()
    first = Counter(row.message_id for row in rows if row.state != "duplicate")
    assert all(count == 1 for count in first.values()), first
    known = {row.message_id for row in rows}
    fetched = [mail for mail in world.written if mail not in world.waiting]
    for mail in fetched:
        assert message_id(mail.raw) in known, f"lost: {mail}"
    assert not [row for row in rows if row.state == "received"], "left undecided"
    messages = [m for m in world.messages() if m.direction == "in"]
    on_tickets = Counter(m.inbound_id for m in messages if m.inbound_id is not None)
    assert all(count == 1 for count in on_tickets.values()), "one mail is two messages"
    people = {message_id(m.raw) for m in fetched if not m.robot and not m.forged and m.sender not in AGENTS}
    for row in rows:
        if row.state == "processed" and row.message_id in people and "status request" not in row.reason:
            assert on_tickets[row.id] == 1, f"a person's mail is on no ticket: {row.subject} ({row.reason})"


def closed_stays_closed(world: World, tickets: Tickets) -> None:
    """A ticket that was closed once is closed for ever; numbers only grow."""
    now = {number: ticket["status"] for number, ticket in tickets.items()}
    for number, before in world.statuses.items():
        assert number in now, f"#{number} is gone"
        assert before != "closed" or now[number] == "closed", f"#{number} was reopened"
    new = set(now) - set(world.statuses)
    assert not world.statuses or all(number > max(world.statuses) for number in new)
    world.statuses = now


def one_open_follow_up(parents: Tickets) -> None:
    """Of all that follows one ticket at most one is open."""

    def root(number: int) -> int:
        above = parents[number]["follow_up_of"]
        return number if above is None else root(above)

    still_open = Counter(root(n) for n, t in parents.items() if t["follow_up_of"] and t["status"] != "closed")
    assert all(count == 1 for count in still_open.values()), f"several open follow-ups: {still_open}"


def reminders_in_their_time(world: World, tickets: Tickets) -> None:
    """Never before 6 h after the answer, two for one question; closed 6 h after one, 48 h after the answer."""
    seen: dict[str, Any] = {}
    for number, ticket in tickets.items():
        if any(event["kind"] == "requester" for event in ticket["events"]):
            continue  # the ticket is somebody else's now, who was asked nothing
        asked = ticket["requester"]["email"]  # a participant's copy starts no timers
        answered = reminded = newest = None
        count = 0
        for mail, at in zip(world.sent, world.sent_at, strict=True):
            if mail["X-Mailbot-Ticket"] != str(number) or mail["Message-ID"] in seen or mail.recipient != asked:
                continue
            seen[mail["Message-ID"]] = at
            if mail.kind == "answer":
                written = parsedate_to_datetime(mail["Date"])
                if newest is not None and written < newest:
                    continue  # an earlier question that the server took late: the newer one counts
                answered, reminded, count, newest = at, None, 0, written
            elif mail.kind == "reminder":
                assert answered is not None, f"#{number}: reminded without a question"
                assert at - answered >= SIX_HOURS, f"#{number}: reminded after {at - answered}"
                reminded, count = at, count + 1
                assert count <= 2, f"#{number}: {count} reminders"
            elif mail.kind == "closure" and mail["Auto-Submitted"] == "auto-generated":
                assert answered is not None
                assert reminded is not None, f"#{number}: closed without a reminder"
                assert at - reminded >= SIX_HOURS
                assert at - answered >= TWO_DAYS


def robots_get_no_answer(world: World) -> None:
    """Nothing that goes outside answers a machine's mail."""
    robots = {message_id(mail.raw) for mail in world.written if mail.robot}
    ids = {row.id for row in world.inbound() if row.message_id in robots}
    with world.desk.desk.store.reading() as connection:
        answers = [r for r in connection.execute(OUTBOX.select()) if r.inbound_id in ids and r.recipient not in AGENTS]
    assert not answers, [(r.recipient, r.kind) for r in answers]
    assert not {mail.recipient for mail in world.sent} - {*OUTSIDE, *AGENTS}, "somebody who never wrote as a person"


def nobody_reads_what_is_not_theirs(world: World, tickets: Tickets, new: list[Sent]) -> None:
    """Words and addresses of one person reach only who takes part with them; notes and agents' addresses nobody."""
    readers: dict[str, set[str]] = {mail.canary: {mail.sender} for mail in world.written}
    together: dict[str, set[str]] = {person: {person} for person in OUTSIDE}
    for ticket in tickets.values():
        people = {ticket["requester"]["email"], *ticket["participants"]}
        public = [f"{m['text']} {m['subject']} {m['attachments']}" for m in ticket["messages"] if m["public"]]
        words = {canary for one in public for canary in CANARY.findall(one)}
        for canary in words | set(CANARY.findall(ticket["subject"])):
            readers.setdefault(canary, set()).update(people)
        for person in people:
            together.setdefault(person, set()).update(people)
    for mail in new:
        if mail.recipient in AGENTS:
            continue
        shown = "\n".join([mail.text, *(f"{name}: {value}" for name, value in mail.message.items())]).lower()
        html = mail.message.get_body(("html",))
        shown += str(html.get_content()).lower() if html else ""
        shown += "".join(f"{name}\n{content!s}".lower() for name, content in mail.files.items())
        for canary in set(CANARY.findall(shown)):
            assert canary not in world.notes, f"{mail.recipient} reads a note ({mail.kind})"
            assert mail.recipient in readers[canary], f"{mail.recipient} reads {canary} ({mail.kind})"
        addresses = set(re.findall(r"[\w.]+@[\w.]+\.(?:example|com)", shown))
        strange = {a for a in addresses & {*OUTSIDE, *AGENTS} if a not in together[mail.recipient]}
        assert not strange, f"{mail.recipient} reads the address of {strange} ({mail.kind})"


def each_id_has_one_text(world: World) -> None:
    """A Message-ID stands for one mail to one person, sent once; twice only where the desk died after the 250."""
    seen: dict[str, Sent] = {}
    for mail in world.sent:
        first = seen.setdefault(mail["Message-ID"], mail)
        if first is not mail:
            assert mail["Message-ID"] in world.allowed_doubles, f"sent twice: {mail.kind} to {mail.recipient}"
            assert (first.raw, first.recipient) == (mail.raw, mail.recipient)


def outgoing_form(new: list[Sent]) -> None:
    """Every mail is well formed, names its kind and ticket, and says that it is automatic where it is."""
    for mail in new:
        inspect(mail)
        assert mail.kind
        assert mail["X-Mailbot-Ticket"] or mail.recipient in AGENTS or mail.kind == "status"
        assert mail["From"].endswith(f"<{ADDRESS}>")
        if mail.kind in AUTOMATIC:
            assert mail["Auto-Submitted"] == AUTOMATIC[mail.kind], mail.kind
        elif mail.kind == "answer":
            assert not mail["Auto-Submitted"], "a person's words"


def message_id(raw: bytes) -> str:
    """The Message-ID of a mail that somebody wrote."""
    found = re.search(rb"(?im)^Message-ID:\s*(<[^>]+>)", raw)
    assert found
    return found.group(1).decode()
