"""mailbot.desk.context: the values that travel through the desk."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from mailbot.desk.context import Case, Context, HandlingResult, IncomingMail, ProcessingResult, Words, release_flags
from mailbot.mail.fetched import Folder
from mailbot.mail.message import Address, Classification, InboundMessage, Kind
from mailbot.store.rows import InboundRow
from mailbot.store.tickets import StoredTicket
from mailbot.ticket.ticket import Agent, Role, Status, Ticket

NOW = datetime(2025, 11, 3, 3, 0, tzinfo=UTC)
ACHA = Address("acha@sekolah.example", "Acha")
ROW = InboundRow(
    7, 2, "imap", "ab", "<a@x>", NOW, 900, False, "received", "", "", "", "", None, "", {"fault_at": "x"}, 1, ""
)
MAIL = IncomingMail.of_row(ROW, InboundMessage(from_=(ACHA,), message_id="<a@x>"), Classification(Kind.HUMAN))
TICKET = StoredTicket(4, Ticket(12345, "BKU", ACHA, Status.QUEUED, NOW, NOW), "<a@x>", 3)


def test_a_case_is_copied_with_what_is_known_next() -> None:
    context = cast(Context, None)
    words = Words(ACHA, Role.REQUESTER, "Mohon bantuan.")
    case = Case(context, mail=MAIL)
    assert (case.mailbox_id, case.message_id) == (2, "<a@x>")
    with pytest.raises(AssertionError):
        _ = case.stored
    known = case.about(TICKET).saying(words)
    assert (known.stored, known.incoming, known.words) == (TICKET, MAIL, words)
    assert known.mailbox_id == 3  # the ticket's comes before the mail's
    assert (case.ticket, case.words) == (None, None)
    assert known.answering(None) == Case(context, TICKET, None, words)
    assert (Case(context).mailbox_id, Case(context).message_id) == (0, "")


@pytest.mark.parametrize(
    ("name", "impersonates"),
    [
        ("Acha", False),
        ("acha@sekolah.example", False),
        ("support@helpdesk.example", True),
        ("Sally", True),
        ("sally  (BOSP)", True),
        ("Helpdesk BOSP", True),
        ("", False),
    ],
)
def test_a_display_name_that_claims_to_be_another(name: str, impersonates: bool) -> None:
    desk: Any = SimpleNamespace(name="Helpdesk BOSP", brand="BOSP")
    policy: Any = SimpleNamespace(agents=(Agent("sally@helpdesk.example", "Sally"),))
    nothing = cast(Any, None)
    context = Context(nothing, desk, policy, nothing, nothing, nothing)
    assert context.impersonates(replace(ACHA, name=name)) is impersonates
    assert not context.impersonates(Address("sally@helpdesk.example", "Sally"))


def test_results_name_the_folder_of_their_mail() -> None:
    assert HandlingResult.processed("", TICKET).folder is Folder.PROCESSED
    assert HandlingResult.quarantined("spam").folder is Folder.QUARANTINE
    assert HandlingResult("held", "not proven").folder is Folder.QUARANTINE
    found = HandlingResult.processed("a reply", TICKET, {"cut": "x"})
    assert (found.ticket_id, found.number, found.explanation) == (4, 12345, {"cut": "x"})
    assert ProcessingResult.of_row(ROW).folder is Folder.PROCESSED  # where it is not decided yet
    assert ProcessingResult.of_row(replace(ROW, place="quarantine", state="held")).folder is Folder.QUARANTINE


@pytest.mark.parametrize(("state", "proven"), [("quarantined", False), ("held", True)])
def test_only_what_awaited_confirmation_is_authenticated_by_its_release(state: str, proven: bool) -> None:
    flags = release_flags(replace(ROW, state=state))
    assert flags == {"fault_at": "x", "released": True} | ({"proven": True} if proven else {})
