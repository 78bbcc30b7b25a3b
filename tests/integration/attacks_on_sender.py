"""Attacks by the sender: forged, disguised and doubtful From fields, and what a mail server said about them."""

from __future__ import annotations

from mailbot.desk.helpdesk import Ingested
from tests.integration.attack_table import (
    HELD,
    NOTHING,
    OWN,
    QUARANTINED,
    WORDS,
    attack,
)
from tests.support.arena import (
    EVIL,
    OURS,
    Arena,
)
from tests.support.people import (
    ACHA,
    ADDRESS,
    SALLY,
)

CLOSE = "#selesai\nSudah selesai."
TAG = "Re: #12345 - apa saja"
DMARC = {"agent_mail": {"trust": "either"}, "inbound": {"trusted_authserv_ids": (OURS,)}}
PASS = f"Authentication-Results: {OURS}; dmarc=pass header.from=helpdesk.example"


@attack("agent-from", "From: the agent, a number in the subject, #selesai", HELD)
def agent_from(arena: Arena) -> Ingested:
    return arena.feed(f"From: Sally <{SALLY}>", subject=TAG, body=CLOSE)


@attack("agent-display-name", "An agent's address as display name before the attacker's own", OWN)
def agent_display_name(arena: Arena) -> Ingested:
    return arena.feed(f'From: "{SALLY}" <{EVIL}>', subject=TAG, body=CLOSE)


@attack("agent-comment", "An agent's address in a comment after the attacker's own", OWN)
def agent_comment(arena: Arena) -> Ingested:
    return arena.feed(f"From: {EVIL} ({SALLY})", subject=TAG, body=CLOSE)


@attack("agent-comment-folded", "The same over folded lines, with brackets in the comment", OWN)
def agent_comment_folded(arena: Arena) -> Ingested:
    return arena.feed(f"From: {EVIL}\r\n (\r\n <{SALLY}>)", subject=TAG, body=CLOSE)


@attack("agent-encoded-name", "An encoded word that decodes to <agent> as a name", OWN)
def agent_encoded_name(arena: Arena) -> Ingested:
    return arena.feed(f"From: =?utf-8?q?=3Csally=40helpdesk=2Eexample=3E?= <{EVIL}>", subject=TAG, body=CLOSE)


@attack("agent-encoded-newline", "An encoded word that decodes to a line end and a second From", OWN)
def agent_encoded_newline(arena: Arena) -> Ingested:
    return arena.feed(
        f'From: "=?utf-8?q?x=0D=0AFrom=3A_sally=40helpdesk=2Eexample?=" <{EVIL}>', subject=TAG, body=CLOSE
    )


@attack("agent-encoded-address", "From is nothing but an encoded word that holds an agent's address", HELD)
def agent_encoded_address(arena: Arena) -> Ingested:
    return arena.feed("From: =?utf-8?q?sally=40helpdesk=2Eexample?=", subject=TAG, body=CLOSE)


@attack("requester-encoded-address", "The same with a requester's address: no server can have checked it", OWN)
def requester_encoded_address(arena: Arena) -> Ingested:
    return arena.feed("From: =?utf-8?q?acha=40sekolah=2Eexample?=", subject=TAG)


@attack("two-from", "Two From fields, the requester's first", OWN)
def two_from(arena: Arena) -> Ingested:
    return arena.feed(f"From: {ACHA}", f"From: {EVIL}", subject=TAG)


@attack(
    "two-from-agent-token",
    "Two From fields, the agent's first, with the agent's own token and a DMARC pass",
    HELD,
    settings=DMARC,
)
def two_from_agent_token(arena: Arena) -> Ingested:
    to = arena.reply_address(SALLY, 12345, "notification")
    return arena.feed(PASS, f"From: {SALLY}", f"From: {EVIL}", to=to, body=CLOSE)


@attack("from-list", "One From with two mailboxes", OWN)
def from_list(arena: Arena) -> Ingested:
    return arena.feed(f"From: {ACHA}, {EVIL}", f"Sender: {EVIL}", subject=TAG)


@attack("from-group", "Group syntax around the requester's address", OWN)
def from_group(arena: Arena) -> Ingested:
    return arena.feed(f"From: Sekolah: {ACHA};", subject=TAG)


@attack("from-route", "A source route before the requester's address (obsolete syntax)", OWN)
def from_route(arena: Arena) -> Ingested:
    return arena.feed(f"From: <@jahat.example:{ACHA}>", subject=TAG)


@attack("from-percent", "The percent hack: acha%sekolah.example@jahat.example", OWN)
def from_percent(arena: Arena) -> Ingested:
    return arena.feed("From: acha%sekolah.example@jahat.example", subject=TAG)


@attack("from-quoted-local", "The requester's address as a quoted local part at the attacker's domain", QUARANTINED)
def from_quoted_local(arena: Arena) -> Ingested:
    return arena.feed('From: "acha@sekolah.example"@jahat.example', subject=TAG)


@attack(
    "from-paren", "alice)evil: a From that two programs read as two authors, with Sender: the requester", QUARANTINED
)
def from_paren(arena: Arena) -> Ingested:
    return arena.feed(f"From: {ACHA}){EVIL}", f"Sender: {ACHA}", subject=TAG)


@attack("from-two-angles", "Two addresses in angle brackets in one From", QUARANTINED)
def from_two_angles(arena: Arena) -> Ingested:
    return arena.feed(f"From: <{ACHA}> <{EVIL}>", subject=TAG)


@attack("from-nul", "A NUL inside the requester's domain, which readers leave out", OWN)
def from_nul(arena: Arena) -> Ingested:
    return arena.feed(b"From: acha@seko\x00lah.example", subject=TAG)


@attack("from-bare-cr", "A bare CR and a second From on the same line", QUARANTINED)
def from_bare_cr(arena: Arena) -> Ingested:
    return arena.feed(f"From: {EVIL}\rFrom: {ACHA}".encode(), subject=TAG)


@attack("from-empty-sender", "An empty group as From, the requester as Sender", OWN)
def from_empty_sender(arena: Arena) -> Ingested:
    return arena.feed("From: undisclosed:;", f"Sender: {ACHA}", subject=TAG)


@attack("from-plus", "acha+x@: a sub-address of the requester's", OWN)
def from_plus(arena: Arena) -> Ingested:
    return arena.feed("From: acha+x@sekolah.example", subject=TAG)


@attack("from-dots", "a.cha@: the dots that some providers ignore", OWN)
def from_dots(arena: Arena) -> Ingested:
    return arena.feed("From: a.cha@sekolah.example", subject=TAG)


@attack("from-lookalike", "A domain that looks alike: sekoIah.example", OWN)
def from_lookalike(arena: Arena) -> Ingested:
    return arena.feed("From: acha@sekoiah.example", subject=TAG)


@attack("from-homograph", "A Cyrillic letter in the domain", OWN)
def from_homograph(arena: Arena) -> Ingested:
    return arena.feed("From: acha@sek\u043elah.example", subject=TAG)


@attack("from-fullwidth", "A full-width letter in the domain, which IDNA 2003 maps to the plain one", OWN)
def from_fullwidth(arena: Arena) -> Ingested:
    return arena.feed("From: acha@\uff53ekolah.example", subject=TAG)


@attack("from-ideographic-dot", "An ideographic full stop for the dot of the domain", OWN)
def from_ideographic_dot(arena: Arena) -> Ingested:
    return arena.feed("From: acha@sekolah\u3002example", subject=TAG)


@attack("from-zero-width", "A zero-width space in the local part", QUARANTINED)
def from_zero_width(arena: Arena) -> Ingested:
    return arena.feed("From: acha\u200b@sekolah.example", subject=TAG)


@attack("from-subdomain", "A sub-domain of the requester's domain", OWN)
def from_subdomain(arena: Arena) -> Ingested:
    return arena.feed("From: acha@mail.sekolah.example", subject=TAG)


@attack("sender-conflict", "Sender, Reply-To, Resent-From and Return-Path name the requester, From the attacker", OWN)
def sender_conflict(arena: Arena) -> Ingested:
    return arena.feed(
        f"Return-Path: <{ACHA}>", f"Resent-From: {ACHA}", f"Resent-Sender: {ACHA}", f"From: {EVIL}", f"Sender: {ACHA}",
        f"Reply-To: {ACHA}", subject=TAG,
    )  # fmt: skip


@attack("reply-to-thief", "From: the requester, Reply-To: the attacker, STATUS #12345", NOTHING)
def reply_to_thief(arena: Arena) -> Ingested:
    earlier = len(arena.desk.to(EVIL))
    done = arena.feed(f"From: {ACHA}", f"Reply-To: {EVIL}", subject="STATUS #12345")
    assert len(arena.desk.to(EVIL)) == earlier
    return done


@attack("desk-from", "From: the desk's own address", NOTHING)
def desk_from(arena: Arena) -> Ingested:
    return arena.feed(f"From: {ADDRESS}", subject=TAG, body=CLOSE)


@attack("requester-from-tag", "From: the requester and their number, nothing else: words can be added", WORDS)
def requester_from_tag(arena: Arena) -> Ingested:
    return arena.feed(f"From: {ACHA}", subject=TAG)


@attack("requester-dmarc-fail", "The same where our mail server found that DMARC fails", QUARANTINED, settings=DMARC)
def requester_dmarc_fail(arena: Arena) -> Ingested:
    verdict = f"Authentication-Results: {OURS}; dmarc=fail header.from=sekolah.example"
    return arena.feed(verdict, f"From: {ACHA}", subject=TAG)


@attack(
    "ar-fail-hidden",
    "An envelope sender that makes our server's field unreadable, so that its `fail` is lost",
    QUARANTINED,
    settings=DMARC,
)
def ar_fail_hidden(arena: Arena) -> Ingested:
    verdict = f'Authentication-Results: {OURS}; spf=pass smtp.mailfrom=";(@x; dmarc=fail header.from=sekolah.example'
    return arena.feed(verdict, f"From: {ACHA}", subject=TAG)


@attack("ar-other-author", "Our server checked another author than the one that we see", QUARANTINED, settings=DMARC)
def ar_other_author(arena: Arena) -> Ingested:
    verdict = f"Authentication-Results: {OURS}; dmarc=pass header.from=jahat.example"
    return arena.feed(verdict, f"From: {ACHA}", subject=TAG)


@attack("ar-untrusted", "A pass of a server that nobody trusts", HELD, settings=DMARC)
def ar_untrusted(arena: Arena) -> Ingested:
    verdict = "Authentication-Results: mx.jahat.example; dmarc=pass header.from=helpdesk.example"
    return arena.feed(verdict, f"From: {SALLY}", subject=TAG, body=CLOSE)


@attack("ar-forged-below", "A forged pass with our server's name below the real field", HELD, settings=DMARC)
def ar_forged_below(arena: Arena) -> Ingested:
    real = f"Authentication-Results: {OURS}; dmarc=none header.from=helpdesk.example"
    return arena.feed(real, PASS, f"From: {SALLY}", subject=TAG, body=CLOSE)


@attack("ar-unreadable-above", "The same below a real field that can't be read", HELD, settings=DMARC)
def ar_unreadable_above(arena: Arena) -> Ingested:
    real = f'Authentication-Results: {OURS}; spf=pass smtp.mailfrom="(;'
    return arena.feed(real, PASS, f"From: {SALLY}", subject=TAG, body=CLOSE)


@attack("ar-comment", "A pass inside a comment of our server's field", HELD, settings=DMARC)
def ar_comment(arena: Arena) -> Ingested:
    verdict = f"Authentication-Results: {OURS}; dmarc=none (dmarc=pass header.from=helpdesk.example)"
    return arena.feed(verdict, f"From: {SALLY}", subject=TAG, body=CLOSE)


@attack(
    "ar-encoded-word",
    "An envelope sender whose encoded word decodes to `dmarc=pass` in our server's field",
    HELD,
    settings=DMARC,
)
def ar_encoded_word(arena: Arena) -> Ingested:
    mail_from = "=?utf-8?q?x=40x=3B_dmarc=3Dpass_header=2Efrom=3Dhelpdesk=2Eexample=3B_spf=3Dpass?="
    verdict = f"Authentication-Results: {OURS}; spf=none smtp.mailfrom={mail_from}"
    return arena.feed(verdict, f"From: {SALLY}", subject=TAG, body=CLOSE)


@attack("ar-two-results", "Two DMARC results in one field, none and pass", HELD, settings=DMARC)
def ar_two_results(arena: Arena) -> Ingested:
    none = "dmarc=none header.from=helpdesk.example"
    return arena.feed(f"{PASS}; {none}", f"From: {SALLY}", subject=TAG, body=CLOSE)


@attack("ar-no-domain", "A pass that does not say which domain it is about", HELD, settings=DMARC)
def ar_no_domain(arena: Arena) -> Ingested:
    return arena.feed(f"Authentication-Results: {OURS}; dmarc=pass", f"From: {SALLY}", subject=TAG, body=CLOSE)


@attack("ar-subdomain", "A pass for a sub-domain of the agent's domain", HELD, settings=DMARC)
def ar_subdomain(arena: Arena) -> Ingested:
    verdict = f"Authentication-Results: {OURS}; dmarc=pass header.from=x.helpdesk.example"
    return arena.feed(verdict, f"From: {SALLY}", subject=TAG, body=CLOSE)


@attack("ar-spf-only", "SPF and DKIM pass for the attacker's domain, no DMARC result", HELD, settings=DMARC)
def ar_spf_only(arena: Arena) -> Ingested:
    verdict = f"Authentication-Results: {OURS}; spf=pass smtp.mailfrom=jahat.example; dkim=pass header.d=jahat.example"
    return arena.feed(verdict, f"From: {SALLY}", subject=TAG, body=CLOSE)


@attack(
    "ar-replayed",
    "An agent's mail that passed DMARC, sent again with References of another ticket",
    HELD,
    settings=DMARC,
)
def ar_replayed(arena: Arena) -> Ingested:
    same = (f"From: {SALLY}", "Subject: Untuk sekolah", "Message-ID: <sekali@helpdesk.example>")
    arena.feed(PASS, *same, "In-Reply-To: <3.surat@sekolah.example>", body=CLOSE)
    assert arena.desk.ticket(12347)["status"] == "closed"  # that one was really Sally's
    arena.before = arena.state()
    return arena.feed(PASS, *same, "In-Reply-To: <1.surat@sekolah.example>", to=f"Lagi <{ADDRESS}>", body=CLOSE)
