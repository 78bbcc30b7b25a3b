"""Matching of mail to tickets: each kind of evidence, their order, and senders without access."""

import pytest

from mailbot.mail.message import Address, InboundMessage
from mailbot.mail.reply_token import (
    Purpose,
    Signer,
    Token,
    signed_address,
)
from mailbot.ticket.matching import (
    AgentRoute,
    Clues,
    Known,
    Route,
    clues_of,
    route,
    route_agent,
)
from mailbot.ticket.ticket import Participant, Role
from tests.support.desk_values import (
    ACHA,
    BUDI,
    SALLY,
    ticket,
)

SIGNER = Signer((b"k" * 32,))
DESK = "support@helpdesk.example"
CECE = "cece@sekolah.example"
A = ticket(participants=(Participant(CECE),))
B = ticket(number=12346)
OTHERS = ticket(number=777, requester=Address("lain@x.id"))
KNOWN = Known({12345: A, 12346: B, 777: OTHERS}, {"<answer@helpdesk.example>": 12345, "<other@x>": 777})
STRANGER = "orang@asing.example"


def token(person: str, number: int = 12345, purpose: Purpose = Purpose.REQUESTER):  # type: ignore[no-untyped-def]
    return SIGNER.sign(purpose, number, person)


@pytest.mark.parametrize(
    ("clues", "expected"),
    [
        (Clues(ACHA.email, tokens=(token(ACHA.email),)), Route(12345, Role.REQUESTER, "token", authenticated=True)),
        (Clues(CECE, tokens=(token(CECE),)), Route(12345, Role.PARTICIPANT, "token", authenticated=True)),
        (Clues(ACHA.email, references=("<answer@helpdesk.example>",)), Route(12345, Role.REQUESTER, "reference")),
        (Clues(ACHA.email, tags=(12345,)), Route(12345, Role.REQUESTER, "tag")),
        # a token in a Message-ID counts where the host keeps no sub-addresses
        (
            Clues(ACHA.email, reference_tokens=(token(ACHA.email),)),
            Route(12345, Role.REQUESTER, "token", authenticated=True),
        ),
        # the tag that was typed over the quoted subject names the ticket that is meant
        (
            Clues(ACHA.email, tokens=(token(ACHA.email),), tags=(12346, 12345)),
            Route(12346, Role.REQUESTER, "tag-typed-over"),
        ),
        # … if they take part in it
        (
            Clues(CECE, tokens=(token(CECE),), tags=(12346,)),
            Route(12345, Role.PARTICIPANT, "token", authenticated=True),
        ),
        # valid evidence from an address that takes no part is marked
        (Clues(STRANGER, tokens=(token(ACHA.email),)), Route(12345, Role.PARTICIPANT, "token", elsewhere=True)),
        (
            Clues(STRANGER, references=("<answer@helpdesk.example>",)),
            Route(12345, Role.PARTICIPANT, "reference", elsewhere=True),
        ),
        # a number is no permission: a ticket of their own, where the agent sees the number
        (Clues(STRANGER, tags=(12345,)), Route(None, named=12345)),
        (Clues(STRANGER, tags=(99999,)), Route(None)),
        (Clues(ACHA.email, tags=(777,)), Route(None, named=777)),
        # a token of another ticket, person or purpose is no token
        (
            Clues(STRANGER, tokens=(Token(Purpose.REQUESTER, 12345, token(STRANGER, 777).mac),)),
            Route(None, named=12345),
        ),
        # a former participant with our token takes part no longer; the agent sees the number
        (Clues(STRANGER, tokens=(token(STRANGER),)), Route(None, named=12345)),
        (
            Clues(STRANGER, tokens=(token(STRANGER),), references=("<answer@helpdesk.example>",)),
            Route(None, named=12345),
        ),
        (Clues(STRANGER, tokens=(token(SALLY.email, purpose=Purpose.AGENT),)), Route(None, named=12345)),
        # an ambiguous From is no participant's
        (Clues(ACHA.email, tags=(12345,), doubtful=True), Route(None, named=12345)),
        (Clues(ACHA.email, tokens=(token(ACHA.email),), doubtful=True), Route(12345, Role.REQUESTER, "token")),
        (Clues(STRANGER), Route(None)),
    ],
)
def test_where_a_persons_mail_belongs(clues: Clues, expected: Route) -> None:
    assert route(clues, KNOWN, SIGNER) == expected


@pytest.mark.parametrize(
    ("clues", "expected"),
    [
        (
            Clues(SALLY.email, tokens=(token(SALLY.email, purpose=Purpose.AGENT),), tags=(12345,)),
            AgentRoute(12345, True, "token"),
        ),
        # an alias of the agent uses the agent's token
        (
            Clues("sally@rumah.example", tokens=(token(SALLY.email, purpose=Purpose.AGENT),)),
            AgentRoute(12345, True, "token"),
        ),
        # a colleague's token proves nothing about Sally
        (
            Clues(SALLY.email, tokens=(token(BUDI.email, purpose=Purpose.AGENT),), tags=(12345,)),
            AgentRoute(12345, False, "tag"),
        ),
        # a requester's token is no agent's
        (Clues(SALLY.email, tokens=(token(SALLY.email),)), AgentRoute(None)),
        (Clues(SALLY.email, references=("<answer@helpdesk.example>",)), AgentRoute(12345, False, "reference")),
        (
            Clues(SALLY.email, tokens=(token(SALLY.email, purpose=Purpose.AGENT),), tags=(777,)),
            AgentRoute(12345, True, "token", conflict=777),
        ),
        (Clues(SALLY.email), AgentRoute(None)),
    ],
)
def test_where_an_agents_mail_belongs(clues: Clues, expected: AgentRoute) -> None:
    assert route_agent(clues, KNOWN, SIGNER, SALLY) == expected


def test_clues_are_collected_from_a_mail() -> None:
    signed = token(ACHA.email)
    message = InboundMessage(
        from_=(ACHA,),
        recipients=(signed_address(DESK, signed),),
        in_reply_to=("<c@x>",),
        references=("<a@x>", "<b@x>", "<c@x>"),
        subject="Re: #12345 - Tidak bisa tutup BKU",
    )
    clues = clues_of(message)
    assert clues == Clues(ACHA.email, (signed,), (), ("<c@x>", "<b@x>", "<a@x>"), (12345,))
    assert clues.numbers == (12345,)


def test_a_reference_to_a_ticket_that_is_gone_leads_nowhere_and_the_next_one_counts() -> None:
    known = Known({12345: A}, {"<gone@x>": 999, "<answer@helpdesk.example>": 12345})
    clues = Clues(ACHA.email, references=("<unknown@x>", "<gone@x>", "<answer@helpdesk.example>"))
    assert route(clues, known, SIGNER).number == 12345


def test_an_agents_subject_that_names_another_ticket_than_the_reference_is_a_conflict() -> None:
    clues = Clues(SALLY.email, references=("<answer@helpdesk.example>",), tags=(12346,))
    assert route_agent(clues, KNOWN, SIGNER, SALLY) == AgentRoute(12345, False, "reference", conflict=12346)
    same = Clues(SALLY.email, references=("<answer@helpdesk.example>",), tags=(12345,))
    assert route_agent(same, KNOWN, SIGNER, SALLY) == AgentRoute(12345, False, "reference")


def test_no_evidence_is_said_to_be_none() -> None:
    assert (route(Clues(STRANGER), KNOWN, SIGNER).evidence, route(Clues(STRANGER), KNOWN, SIGNER).named) == ("", None)
    assert route_agent(Clues(SALLY.email), KNOWN, SIGNER, SALLY).evidence == ""


def test_a_token_of_a_deleted_ticket_or_of_an_agents_purpose_matches_nothing() -> None:
    assert route(Clues(ACHA.email, tokens=(token(ACHA.email, 999),)), KNOWN, SIGNER) == Route(None)
    as_agent = Clues(ACHA.email, tokens=(token(ACHA.email, purpose=Purpose.AGENT),))  # who once was an agent
    assert route(as_agent, KNOWN, SIGNER) == Route(None, named=12345)


def test_of_a_long_thread_the_newest_fifty_references_count() -> None:
    message = InboundMessage(from_=(ACHA,), references=tuple(f"<{n}@x>" for n in range(60)))
    references = clues_of(message).references
    assert len(references) == 50 and references[0] == "<59@x>" and references[-1] == "<10@x>"
    signed = signed_address(DESK, token(ACHA.email))
    many = InboundMessage(from_=(ACHA,), recipients=(*(f"guru{n}@x.id" for n in range(49)), signed, signed))
    assert len(clues_of(many).tokens) == 1
