"""Attacks by tokens: stolen, altered, replayed, forwarded; confirmations; agents who left; DKIM signatures."""

from __future__ import annotations

from datetime import timedelta
from email.utils import getaddresses

from mailbot.desk.helpdesk import Ingested
from mailbot.mail.reply_token import (
    Purpose,
    Signer,
    Token,
    read_tokens,
)
from tests.integration.attack_table import (
    DUPLICATE,
    HELD,
    MARKED,
    NOTHING,
    OWN,
    QUARANTINED,
    RECORDED,
    WORDS,
    attack,
)
from tests.support.arena import (
    CECE,
    DINI,
    EVIL,
    OURS,
    Arena,
)
from tests.support.people import (
    ACHA,
    ADDRESS,
    BUDI,
    SALLY,
)

CLOSE = "#selesai\nSudah selesai."


def _token(arena: Arena, person: str, number: int, kind: str = "") -> Token:
    return read_tokens(arena.reply_address(person, number, kind))[0]


def _with(token: Token | str) -> str:
    """The desk's address with this in it, a token or what poses as one."""
    local, _, domain = ADDRESS.partition("@")
    return f"{local}+{token}@{domain}"


def _asked(arena: Arena) -> str:
    """Somebody forges Sally; the address that she is asked to confirm at."""
    arena.feed(f"From: {SALLY}", subject="Re: #12345 - x", body=CLOSE)
    return getaddresses([arena.desk.last(SALLY, "notice")["Reply-To"]])[0][1]


@attack("token-renumbered", "The attacker's own token with another ticket's number", OWN)
def token_renumbered(arena: Arena) -> Ingested:
    own = _token(arena, EVIL, 12347)
    return arena.feed(f"From: {EVIL}", to=_with(Token(Purpose.REQUESTER, 12345, own.mac)))


@attack("token-repurposed", "A requester's token made an agent's, in the agent's name", HELD)
def token_repurposed(arena: Arena) -> Ingested:
    own = _token(arena, EVIL, 12347)
    return arena.feed(f"From: {SALLY}", to=_with(Token(Purpose.AGENT, 12345, own.mac)), body=CLOSE)


@attack("token-own-agent", "A requester's real token, in the agent's name", HELD)
def token_own_agent(arena: Arena) -> Ingested:
    return arena.feed(f"From: {SALLY}", to=_with(_token(arena, EVIL, 12347)), subject="#12345", body=CLOSE)


@attack("token-truncated", "An agent's token that lost its last character", HELD)
def token_truncated(arena: Arena) -> Ingested:
    whole = str(_token(arena, SALLY, 12345, "notification"))
    return arena.feed(f"From: {SALLY}", to=_with(whole[:-1]), body=CLOSE)


@attack("token-flipped", "An agent's token with one character changed", HELD)
def token_flipped(arena: Arena) -> Ingested:
    whole = str(_token(arena, SALLY, 12345, "notification"))
    return arena.feed(f"From: {SALLY}", to=_with(whole[:-1] + ("a" if whole[-1] != "a" else "b")), body=CLOSE)


@attack("token-colleague", "One agent's token in another agent's name", HELD)
def token_colleague(arena: Arena) -> Ingested:
    return arena.feed(f"From: {SALLY}", to=_with(_token(arena, BUDI, 12345, "notification")), body=CLOSE)


@attack("token-own-name", "An agent's token under the attacker's own From", OWN)
def token_own_name(arena: Arena) -> Ingested:
    return arena.feed(f"From: {EVIL}", to=_with(_token(arena, SALLY, 12345, "notification")), body=CLOSE)


@attack("token-upper-case", "The same in upper case, in Cc", OWN)
def token_upper_case(arena: Arena) -> Ingested:
    token = _with(_token(arena, SALLY, 12345, "notification")).upper()
    return arena.feed(f"From: {EVIL}", f"Cc: {token}", body=CLOSE)


@attack("token-in-bcc", "An agent's token in Bcc and in Resent-To, in the agent's name", HELD)
def token_in_bcc(arena: Arena) -> Ingested:
    own = _with(Token(Purpose.AGENT, 12345, _token(arena, EVIL, 12347).mac))
    return arena.feed(f"From: {SALLY}", f"Bcc: {own}", f"Resent-To: {own}", body=CLOSE)


@attack("token-in-words", "A real requester's token in subject, body and display name of a stranger's mail", OWN)
def token_in_words(arena: Arena) -> Ingested:
    token = _with(_token(arena, ACHA, 12345))
    return arena.feed(f'From: "{token}" <{EVIL}>', subject=f"Re: {token}", body=f"> {token}\n{token}")


@attack("token-of-status", "The key of a status link in place of a reply token", OWN)
def token_of_status(arena: Arena) -> Ingested:
    signed = arena.desk.desk.helpdesk.profile.signer.sign(Purpose.STATUS, 12345, ACHA)
    return arena.feed(f"From: {EVIL}", to=_with(signed))


@attack("token-of-bounce", "A requester answers to the envelope sender of the mail that they got", RECORDED)
def token_of_bounce(arena: Arena) -> Ingested:
    return arena.feed(f"From: {ACHA}", to=arena.mail(ACHA, 12345, "answer").envelope_from, subject="Re: #12345")


@attack("token-of-other-desk", "A token that another installation signed for the same ticket and agent", HELD)
def token_of_other_desk(arena: Arena) -> Ingested:
    foreign = Signer((b"another desk's key 0123456789",)).sign(Purpose.AGENT, 12345, SALLY)
    return arena.feed(f"From: {SALLY}", to=_with(foreign), body=CLOSE)


@attack("token-huge-number", "A token that names a ticket beyond every number", HELD)
def token_huge_number(arena: Arena) -> Ingested:
    return arena.feed(f"From: {SALLY}", to=_with("a07777777777777" + "0" + "a" * 20), body=CLOSE)


@attack("forwarded-reply", "Acha's mail was forwarded; the third person replies to its signed address", MARKED)
def forwarded_reply(arena: Arena) -> Ingested:
    return arena.feed(f"From: {EVIL}", "Cc: dua@jahat.example", to=_with(_token(arena, ACHA, 12345)))


@attack("forwarded-notification", "An agent forwarded a notification; the stranger replies to everything in it", OWN)
def forwarded_notification(arena: Arena) -> Ingested:
    note = arena.mail(SALLY, 12345, "notification")
    return arena.feed(
        f"From: {EVIL}", f"In-Reply-To: {note['Message-ID']}", f"References: {note['References']} {note['Message-ID']}",
        to=_with(_token(arena, SALLY, 12345, "notification")), subject=f"Re: {note['Subject']}", body=CLOSE,
    )  # fmt: skip


@attack("taken-off", "Whose ticket it was before `#pelapor` replies by the old token and the old thread", OWN)
def taken_off(arena: Arena) -> Ingested:
    old = arena.mail(DINI, 12348)
    return arena.feed(
        f"From: {DINI}", f"In-Reply-To: {old['Message-ID']}", to=_with(_token(arena, DINI, 12348)),
        subject=f"Re: {old['Subject']}",
    )  # fmt: skip


@attack("agent-who-left", "An agent who was removed uses an old token", OWN)
def agent_who_left(arena: Arena) -> Ingested:
    helpdesk = arena.desk.desk.helpdesk
    helpdesk.add_agent("mantan@helpdesk.example", "Mantan")
    token = helpdesk.profile.signer.sign(Purpose.AGENT, 12345, "mantan@helpdesk.example")
    helpdesk.remove_agent("mantan@helpdesk.example")
    return arena.feed("From: mantan@helpdesk.example", to=_with(token), body=CLOSE)


@attack("agent-who-came-back", "An agent who was removed and added again: a token of the first time", HELD)
def agent_who_came_back(arena: Arena) -> Ingested:
    helpdesk = arena.desk.desk.helpdesk
    helpdesk.add_agent("mantan@helpdesk.example", "Mantan")
    token = helpdesk.profile.signer.sign(Purpose.AGENT, 12345, "mantan@helpdesk.example")
    helpdesk.remove_agent("mantan@helpdesk.example")
    helpdesk.add_agent("mantan@helpdesk.example", "Mantan")
    return arena.feed("From: mantan@helpdesk.example", to=_with(token), body=CLOSE)


@attack("confirm-by-other", "The request for confirmation, answered by a stranger", OWN)
def confirm_by_other(arena: Arena) -> Ingested:
    return arena.feed(f"From: {EVIL}", to=_asked(arena), body="ya")


@attack("confirm-by-colleague", "The same, answered by another agent", HELD)
def confirm_by_colleague(arena: Arena) -> Ingested:
    to = _asked(arena)
    done = arena.feed(f"From: {BUDI}", to=to, body="ya")
    assert arena.desk.last(BUDI, "notice")["Subject"] and done.outcome == "held"
    return done


@attack("confirm-without-token", "The forged agent confirms without the signed address", HELD)
def confirm_without_token(arena: Arena) -> Ingested:
    _asked(arena)
    return arena.feed(f"From: {SALLY}", subject="Re: Mohon konfirmasi: apakah email ini dari Anda?", body="ya")


@attack("confirm-renumbered", "A real confirmation's token with the number of another held mail", HELD)
def confirm_renumbered(arena: Arena) -> Ingested:
    first = read_tokens(_asked(arena))[0]
    return arena.feed(f"From: {SALLY}", to=_with(Token(Purpose.CONFIRM, first.number + 1, first.mac)), body="ya")


@attack(
    "confirm-by-vacation", "The agent's out-of-office note answers the request, with the fields of one", QUARANTINED
)
def confirm_by_vacation(arena: Arena) -> Ingested:
    return arena.feed(
        f"From: {SALLY}", "Auto-Submitted: auto-replied", to=_asked(arena), subject="Automatic reply: Mohon konfirmasi",
        body="Saya sedang cuti.",
    )  # fmt: skip


@attack("confirm-by-bare-vacation", "The same without any field that shows a machine, quoting the request", NOTHING)
def confirm_by_bare_vacation(arena: Arena) -> Ingested:
    return arena.feed(
        f"From: {SALLY}", to=_asked(arena), subject="Re: Mohon konfirmasi: apakah email ini dari Anda?",
        body="Saya sedang cuti sampai 10 November 2025 dan akan membalas setelah kembali.\n\n> balas email ini: ya",
    )  # fmt: skip


@attack("confirm-denied", "The agent answers that it is not theirs", NOTHING)
def confirm_denied(arena: Arena) -> Ingested:
    return arena.feed(f"From: {SALLY}", to=_asked(arena), body="Bukan saya yang menulis itu!")


@attack("confirm-twice", "A real confirmation, sent a second time", DUPLICATE)
def confirm_twice(arena: Arena) -> Ingested:
    to = _asked(arena)
    mail = (f"From: {SALLY}", "Message-ID: <ya@helpdesk.example>")
    arena.feed(*mail, to=to, body="ya")
    assert arena.desk.ticket()["status"] == "closed"
    arena.before = arena.state()
    return arena.feed(*mail, to=to, body="ya")


@attack("confirm-again", "A used confirmation in a new mail", NOTHING)
def confirm_again(arena: Arena) -> Ingested:
    to = _asked(arena)
    arena.feed(f"From: {SALLY}", to=to, body="ya")
    arena.before = arena.state()
    return arena.feed(f"From: {SALLY}", to=to, body="ya, sekali lagi")


@attack("vacation-as-answer", "An agent's out-of-office note without its fields comes to the signed address", HELD)
def vacation_as_answer(arena: Arena) -> Ingested:
    return arena.feed(
        f"From: {SALLY}", to=_with(_token(arena, SALLY, 12345, "notification")), subject="Automatic reply: #12345",
        body="Email Anda akan kami baca.",
    )  # fmt: skip


@attack(
    "both-token-only", "trust = both: the agent's token without the domain's word", HELD,
    settings={"agent_mail": {"trust": "both"}, "inbound": {"trusted_authserv_ids": (OURS,)}},
)  # fmt: skip
def both_token_only(arena: Arena) -> Ingested:
    return arena.feed(f"From: {SALLY}", to=_with(_token(arena, SALLY, 12345, "notification")), body=CLOSE)


@attack(
    "both-confirm-unproven", "trust = both: a confirmation by its token alone", HELD,
    settings={"agent_mail": {"trust": "both"}, "inbound": {"trusted_authserv_ids": (OURS,)}},
)  # fmt: skip
def both_confirm_unproven(arena: Arena) -> Ingested:
    return arena.feed(f"From: {SALLY}", to=_asked(arena), body="ya")


@attack("participant-as-requester", "A participant's token under the requester's From, with a friend in Cc", WORDS)
def participant_as_requester(arena: Arena) -> Ingested | None:
    return arena.feed(f"From: {ACHA}", f"Cc: {EVIL}", to=_with(_token(arena, CECE, 12345)), subject="Halo")


def _list(arena: Arena) -> str:
    """A forged mail waits in the quarantine and the leads have their list; the address that Budi answers it at."""
    arena.feed(f"From: {SALLY}", subject="Re: #12345 - x", body=CLOSE)
    arena.desk.clock.advance(timedelta(days=1))
    assert arena.desk.desk.helpdesk.send_quarantine_list()
    arena.desk.deliver()
    return getaddresses([arena.desk.last(BUDI, "notice")["Reply-To"]])[0][1]


@attack("quarantine-forged-lead", "A forged lead lets their own forged mail out of the quarantine: `lepas 1`", HELD)
def quarantine_forged_lead(arena: Arena) -> Ingested:
    subject = f"Re: {arena.desk.last(BUDI, 'notice')['Subject']}" if _list(arena) else ""
    return arena.feed(f"From: {BUDI}", subject=subject, body="lepas 1")


@attack("quarantine-own-token", "The same with a token that the attacker has of their own ticket", HELD)
def quarantine_own_token(arena: Arena) -> Ingested:
    listed = read_tokens(_list(arena))[0]
    own = _token(arena, EVIL, 12347)
    return arena.feed(f"From: {BUDI}", to=_with(Token(listed.purpose, listed.number, own.mac)), body="lepas 1")


@attack("quarantine-by-other", "A lead's list in the hands of another agent", HELD)
def quarantine_by_other(arena: Arena) -> Ingested:
    return arena.feed(f"From: {SALLY}", to=_list(arena), body="lepas 1")


@attack("quarantine-by-stranger", "The same in the hands of a stranger", OWN)
def quarantine_by_stranger(arena: Arena) -> Ingested:
    return arena.feed(f"From: {EVIL}", to=_list(arena), body="lepas 1")
