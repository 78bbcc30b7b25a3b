"""Attacks on tickets: guessed numbers, commands of who may give none, people smuggled in, forged robots, the form."""

from __future__ import annotations

from typing import Any

from mailbot.desk.helpdesk import Ingested
from mailbot.mail.reply_token import Purpose
from tests.integration.attack_table import (
    HELD,
    MARKED,
    NOTHING,
    OWN,
    QUARANTINED,
    RECORDED,
    REFUSED,
    TOLD,
    WORDS,
    attack,
)
from tests.support.arena import (
    CECE,
    EVIL,
    FIRA,
    LAIN,
    OURS,
    Arena,
)
from tests.support.people import (
    ACHA,
    ADDRESS,
    SALLY,
)

SPELLINGS = (
    "Re: [#12345] x", "#12345", "no. tiket 12345", "Tiket: 12345", "Re: ＃１２３４５", "FW: RE: #12345 - RAHASIA",
    "#12.345", "nomor laporan 12345", "(#12345)", "##12345",
)  # fmt: skip


@attack("number-guessed", "A stranger writes #12345 into the subject, in ten spellings", OWN)
def number_guessed(arena: Arena) -> Ingested:
    for spelling in SPELLINGS[1:]:
        other = arena.feed(f"From: tebak{len(arena.said)}@jahat.example", subject=spelling)
        assert other.ticket in arena.new_numbers()
    arena.forget_new()
    return arena.feed(f"From: {EVIL}", subject=SPELLINGS[0])


@attack("number-odd", "Numbers that are huge, negative, zero, or in other scripts' digits", OWN)
def number_odd(arena: Arena) -> Ingested:
    odd = "#99999999999999999999 #-12345 #0 #٠١٢٣٤ #१२३४५ #12345678901234567890123"
    return arena.feed(f"From: {EVIL}", subject=odd)


@attack("number-in-body", "The number and the whole quoted answer in the body of a stranger's mail", OWN)
def number_in_body(arena: Arena) -> Ingested:
    return arena.feed(f"From: {EVIL}", body="Tiket #12345\n> #12345\n> X-Mailbot-Ticket: 12345")


@attack("own-headers", "Our own header fields in a stranger's mail: ticket, kind, program", OWN)
def own_headers(arena: Arena) -> Ingested:
    return arena.feed(
        f"From: {EVIL}", "X-Mailbot-Ticket: 12345", "X-Mailbot-Program: RAHASIA", "Thread-Topic: #12345",
    )  # fmt: skip


@attack("reference-guessed", "References that look like ours", OWN)
def reference_guessed(arena: Arena) -> Ingested:
    return arena.feed(f"From: {EVIL}", "References: <12345@helpdesk.example> <r0a0.x@helpdesk.example>")


@attack("reference-known", "A stranger knows the Message-ID of a mail of the ticket", MARKED)
def reference_known(arena: Arena) -> Ingested:
    return arena.feed(f"From: {EVIL}", f"Cc: dua@{EVIL}", "In-Reply-To: <1.surat@sekolah.example>", f"Cc: {EVIL}")


@attack("reference-closed", "The same for a closed ticket: no follow-up in its requester's name", OWN)
def reference_closed(arena: Arena) -> Ingested:
    return arena.feed(f"From: {EVIL}", "In-Reply-To: <5.surat@sekolah.example>", body="Kendala masih terjadi")


@attack("status-stranger", "STATUS of another's number: the answer is the same as for a number that is none", NOTHING)
def status_stranger(arena: Arena) -> Ingested:
    done = arena.feed(f"From: {EVIL}", subject="STATUS #12345")
    arena.feed(f"From: {EVIL}", subject="STATUS #98765")
    real, none = arena.desk.to(EVIL, "status")[-2:]
    assert real.text == none.text.replace("98765", "12345") and real["Subject"] == none["Subject"].replace(
        "98765", "12345"
    )
    assert real.message.keys() == none.message.keys()
    return done


@attack(
    "status-lookalike", "STATUS from an address that looks like the requester's, and from one that is in doubt", NOTHING
)
def status_lookalike(arena: Arena) -> Ingested:
    arena.feed(f"From: {ACHA}", f"From: {EVIL}", subject="STATUS #12345")
    done = arena.feed("From: acha+1@sekolah.example", subject="Re: STATUS #12345")
    answers = [m for m in arena.desk.sent if m.kind == "status"]
    assert "acha+1@sekolah.example" in [m.recipient for m in answers]
    assert not any("rahasia" in m.raw.decode().lower() or m["X-Mailbot-Ticket"] for m in answers)
    return done


@attack("status-other-requester", "A requester asks for the status of another requester's ticket", NOTHING)
def status_other_requester(arena: Arena) -> Ingested:
    return arena.feed(f"From: {LAIN}", subject="status #12345")


@attack("commands-stranger", "Agents' commands in a stranger's mail with a number", OWN)
def commands_stranger(arena: Arena) -> Ingested:
    return arena.feed(f"From: {EVIL}", subject="#12345", body=f"#pelapor {EVIL}\n#oper {EVIL}\n#selesai")


@attack("commands-requester", "The same in the requester's own reply: words", WORDS)
def commands_requester(arena: Arena) -> Ingested:
    to = arena.reply_address(ACHA, 12345, "answer")
    return arena.feed(f"From: {ACHA}", to=to, body=f"#pelapor {EVIL}\n#selesai\n#spam")


@attack("commands-participant", "The same of a participant who would like to close it", WORDS)
def commands_participant(arena: Arena) -> Ingested:
    return arena.feed(f"From: {CECE}", to=arena.reply_address(CECE, 12345, "answer"), body="#selesai\nTutup saja.")


@attack("merge-forced", "`#gabung 12345 paksa` by a requester on their own ticket", MARKED)
def merge_forced(arena: Arena) -> Ingested:
    arena.feed(f"From: {EVIL}", to=arena.reply_address(EVIL, 12347, "answer"), body="#gabung 12345 paksa")
    assert arena.desk.ticket(12347)["merged_into"] is None
    arena.before[12347] = arena.desk.ticket(12347)
    return arena.feed(f"From: {EVIL}", "In-Reply-To: <1.surat@sekolah.example>", body="#gabung 12347 paksa")


@attack("merge-by-forged-agent", "`#gabung 12345 paksa` by a forged agent on the attacker's own ticket", HELD)
def merge_by_forged_agent(arena: Arena) -> Ingested:
    return arena.feed(f"From: {SALLY}", subject="#12347", body="#gabung 12345 paksa")


@attack("cc-injected", "From: the requester with their number, the attacker in Cc and To: to read every answer", WORDS)
def cc_injected(arena: Arena) -> Ingested:
    return arena.feed(f"From: {ACHA}", f"Cc: {EVIL}", to=f"{ADDRESS}, dua@jahat.example", subject="Re: #12345 - x")


@attack("cc-follow-up", "The same on a closed ticket: the follow-up is the requester's alone", OWN)
def cc_follow_up(arena: Arena) -> Ingested | None:
    done = arena.feed(f"From: {FIRA}", f"Cc: {EVIL}", subject="Re: #12349 - x", body="Kendala masih terjadi")
    shown = arena.desk.ticket(done.ticket or 0)
    assert (shown["follow_up_of"], shown["requester"]["email"], shown["participants"]) == (12349, FIRA, [])
    assert not [m for m in arena.desk.sent if m.recipient == EVIL and m["X-Mailbot-Ticket"] == str(done.ticket)]
    arena.before[12349] = arena.desk.ticket(12349)  # linked to its follow-up, and else as it was
    arena.follows[done.ticket or 0] = 12349
    return done


@attack("cc-by-participant", "A participant's real reply with the attacker in Cc: a participant adds nobody", WORDS)
def cc_by_participant(arena: Arena) -> Ingested:
    return arena.feed(f"From: {CECE}", f"Cc: {EVIL}", to=arena.reply_address(CECE, 12345, "answer"))


@attack("header-injection", "Line ends and header fields in the encoded subject and name of a new report", OWN)
def header_injection(arena: Arena) -> Ingested:
    done = arena.feed(
        f"From: =?utf-8?q?Budi=0D=0ABcc=3A_dua=40jahat=2Eexample?= <{EVIL}>",
        "Subject: =?utf-8?q?Halo=0D=0ABcc=3A_dua=40jahat=2Eexample=0D=0A=0D=0AIsi?=",
    )
    mine = [m for m in arena.desk.sent if m["X-Mailbot-Ticket"] == str(done.ticket)]
    assert mine and all(m.message["Bcc"] is None and not m.message.defects for m in mine)
    return done


@attack("vacation-forged", "An automatic reply in the requester's name with the number: stops no timer", RECORDED)
def vacation_forged(arena: Arena) -> Ingested:
    return arena.feed(f"From: {ACHA}", "Auto-Submitted: auto-replied", subject="Re: #12345", body="Cuti sampai 2099.")


@attack("receipt-forged", "A forged read receipt with the number", RECORDED)
def receipt_forged(arena: Arena) -> Ingested:
    return arena.feed(
        f"From: {ACHA}", "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type=disposition-notification; boundary="b"', subject="Read: #12345",
        body="--b\nContent-Type: text/plain\n\nDibaca.\n--b\nContent-Type: message/disposition-notification\n\n"
        f"Final-Recipient: rfc822; {ACHA}\nDisposition: manual-action/MDN-sent-manually; displayed\n--b--",
    )  # fmt: skip


def _bounce(arena: Arena, *, to: str, message_id: str) -> Ingested:
    return arena.feed(
        "Return-Path: <>", "From: MAILER-DAEMON@jahat.example", "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"', subject="Undelivered #12345",
        to=to,
        body="--b\nContent-Type: text/plain\n\nGagal.\n--b\nContent-Type: message/delivery-status\n\n"
        f"Reporting-MTA: dns; mx.jahat.example\n\nFinal-Recipient: rfc822; {ACHA}\nAction: failed\nStatus: 5.1.1\n"
        f"--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: {message_id}\nSubject: #12345\n--b--",
    )  # fmt: skip


@attack("bounce-forged", "A forged delivery report with the requester's address and the number", NOTHING)
def bounce_forged(arena: Arena) -> Ingested:
    return _bounce(arena, to=ADDRESS, message_id="<12345@helpdesk.example>")


@attack("bounce-verp-guessed", "The same to a guessed envelope sender of ours", NOTHING)
def bounce_verp_guessed(arena: Arena) -> Ingested:
    return _bounce(arena, to="support+b0c0aaaaaaaaaaaaaaaaaaaa@helpdesk.example", message_id="<x@y>")


@attack("bounce-known-id", "The same with the real Message-ID, as whoever got the mail quoted knows it", TOLD)
def bounce_known_id(arena: Arena) -> Ingested:
    return _bounce(arena, to=ADDRESS, message_id=arena.mail(ACHA, 12345, "answer")["Message-ID"])


@attack("own-mark", "X-Mailbot-Instance, which stands in all our mail, in the attacker's", NOTHING)
def own_mark(arena: Arena) -> Ingested:
    mark = arena.mail(EVIL, 12347)["X-Mailbot-Instance"]
    return arena.feed(f"From: {SALLY}", f"X-Mailbot-Instance: {mark}", subject="#12345", body="#selesai\nSudah.")


@attack("forward-forged", "A forged agent forwards a mail to open a ticket in a school's name", HELD)
def forward_forged(arena: Arena) -> Ingested:
    body = f"#tag penting\n\n---------- Forwarded message ---------\nDari: Acha <{ACHA}>\nSubject: BKU\n\nIsi."
    return arena.feed(f"From: {SALLY}", subject="Fwd: BKU", body=body)


@attack(
    "duplicate-of-report",
    "The requester's own first mail again, with the attacker's References and token added",
    NOTHING,
)
def duplicate_of_report(arena: Arena) -> Ingested:
    done = arena.feed(f"From: {EVIL}", "Message-ID: <satu@jahat.example>", subject="Halo lagi", body="Satu.")
    assert done.ticket in arena.new_numbers()
    again = arena.feed(
        f"From: {EVIL}", "Message-ID: <satu@jahat.example>", "In-Reply-To: <1.surat@sekolah.example>",
        subject="Halo lagi", body="Satu.",
    )  # fmt: skip
    assert again.outcome == "duplicate"
    arena.forget_new()
    return Ingested(again.inbound_id, "processed", None, "")


def _form(arena: Arena, **values: str) -> Any:
    from starlette.testclient import TestClient

    from mailbot.web.pages import make_app

    arena.said += " ".join(values.values()).lower()
    with TestClient(make_app(arena.desk.desk), follow_redirects=False) as page:
        answer = page.post("/", data={"program": "", "perihal": "Halo", "detail": "Isi palsu."} | values)
    arena.desk.deliver()
    return answer


@attack("form-posing", "The web form in the requester's name, with their number in Perihal", OWN)
def form_posing(arena: Arena) -> Ingested:
    assert _form(arena, email=ACHA, perihal="Re: #12345 - x").status_code == 303
    [number] = arena.new_numbers()
    assert "12345" in arena.desk.last(SALLY, "notification").text
    return Ingested(0, "processed", number, "")


@attack("form-status", "The web form with STATUS #12345 as Perihal, in the requester's name", OWN)
def form_status(arena: Arena) -> Ingested:
    assert _form(arena, email=ACHA, perihal="STATUS #12345").status_code == 303
    assert arena.desk.sent[-1].kind != "status"
    [number] = arena.new_numbers()
    return Ingested(0, "processed", number, "")


@attack("form-agent", "The web form in an agent's name", REFUSED)
def form_agent(arena: Arena) -> None:
    assert _form(arena, email=SALLY, perihal="#12345", detail="#selesai").status_code == 400


@attack("form-header", "A line end and a Bcc in the form's address and subject", REFUSED)
def form_header(arena: Arena) -> None:
    assert _form(arena, email=f"{EVIL}\r\nBcc: dua@jahat.example").status_code == 400


@attack("status-link", "The status page with another's key, another purpose's token, and a bare number", REFUSED)
def status_link(arena: Arena) -> None:
    from starlette.testclient import TestClient

    from mailbot.web.pages import make_app

    signer = arena.desk.desk.helpdesk.profile.signer
    keys = (
        signer.sign(Purpose.STATUS, 12347, EVIL), signer.sign(Purpose.STATUS, 12345, EVIL),
        signer.sign(Purpose.REQUESTER, 12345, ACHA), signer.sign(Purpose.STATUS, 12346, LAIN), "",
    )  # fmt: skip
    with TestClient(make_app(arena.desk.desk)) as page:
        for key in keys:
            shown = page.get("/status", params={"nomor": "12345", "kunci": str(key)}).text
            assert "a***@sekolah.example" in shown and ACHA not in shown and "rahasia" not in shown.lower()
        assert page.get("/status", params={"nomor": "٠١٢٣٤٥", "kunci": "x" * 10_000}).status_code == 404


@attack(
    "requester-known-pass", "A DMARC pass for the attacker's own domain under the requester's From", QUARANTINED,
    settings={"inbound": {"trusted_authserv_ids": (OURS,)}},
)  # fmt: skip
def requester_known_pass(arena: Arena) -> Ingested:
    return arena.feed(
        f"Authentication-Results: {OURS}; dmarc=pass header.from=jahat.example", f"From: {ACHA}", f"Cc: {EVIL}",
        subject="Re: #12345",
    )  # fmt: skip
