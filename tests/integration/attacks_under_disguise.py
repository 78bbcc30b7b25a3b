"""Attacks by forms that other programs read otherwise, and by robots that say nothing of themselves."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import getaddresses

from mailbot.desk.helpdesk import Ingested
from tests.integration.attack_table import (
    HELD,
    NOTHING,
    OWN,
    QUARANTINED,
    RECORDED,
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
    BUDI,
    SALLY,
)

TAG = "Re: #12345 - RAHASIA-ACHA tutup BKU"
MULTIPART = ("MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=b")
TRUSTED = {"inbound": {"trusted_authserv_ids": [OURS]}}
VENDOR = "cs@vendor.example"


def to_agent(arena: Arena) -> str:
    """The signed address of Sally's notification, as somebody who was forwarded it knows it."""
    return arena.reply_address(SALLY, 12345, "notification")


def to_acha(arena: Arena) -> str:
    """The signed address of the answer that Acha got."""
    return arena.reply_address(ACHA, 12345, "answer")


@attack("nested-commands", "An agent's mail with commands as message/rfc822 inside a stranger's", OWN)
def nested_commands(arena: Arena) -> Ingested:
    inner = f"From: {SALLY}\nTo: {to_agent(arena)}\nSubject: {TAG}\n\n#selesai\n"
    body = f"--b\nContent-Type: text/plain\n\nHalo.\n--b\nContent-Type: message/rfc822\n\n{inner}--b--\n"
    return arena.feed(f"From: {EVIL}", *MULTIPART, subject=TAG, body=body)


@attack("nested-alone", "The same where the stranger's mail is nothing but that", OWN)
def nested_alone(arena: Arena) -> Ingested:
    inner = f"From: {SALLY}\nTo: {to_agent(arena)}\nSubject: {TAG}\nMessage-ID: <x@y.example>\n\n#selesai\n"
    return arena.feed(f"From: {EVIL}", "MIME-Version: 1.0", "Content-Type: message/rfc822", subject=TAG, body=inner)


@attack("arc-pass", "A pass in ARC fields with our server's name, and a seal", HELD, settings=TRUSTED)
def arc_pass(arena: Arena) -> Ingested:
    return arena.feed(
        f"ARC-Authentication-Results: i=1; {OURS}; dmarc=pass header.from=helpdesk.example",
        "ARC-Seal: i=1; a=rsa-sha256; cv=pass; d=helpdesk.example; s=x; b=aaaa",
        f"From: {SALLY}", subject=TAG, body="#selesai",
    )  # fmt: skip


@attack("ar-below-another", "A forged pass of our server below the field of a server that nobody knows", HELD)
def ar_below_another(arena: Arena) -> Ingested:
    return arena.feed(
        "Authentication-Results: mx.lain.example; dmarc=pass header.from=helpdesk.example",
        f"Authentication-Results: {OURS}; dmarc=pass header.from=helpdesk.example",
        f"From: {SALLY}", subject=TAG, body="#selesai",
    )  # fmt: skip


@attack("original-from", "X-Original-From and its like name the agent, as behind a list that rewrites From", OWN)
def original_from(arena: Arena) -> Ingested:
    fields = (f"X-Original-From: {SALLY}", f"X-Google-Original-From: {SALLY}", f"Original-From: {ACHA}")
    return arena.feed(*fields, "From: Sally via Grup <grup@jahat.example>", subject=TAG, body="#selesai")


@attack("list-rewrite", "A list that rewrote From, with the requester in Reply-To and name", OWN)
def list_rewrite(arena: Arena) -> Ingested:
    fields = (f"Reply-To: {ACHA}", "List-Id: <grup.jahat.example>", "From: Acha via Grup <grup@jahat.example>")
    return arena.feed(*fields, subject=TAG, body="Ini balasan saya.")


@attack("group-of-agents", "Group syntax around two agents, to a real agent's token", HELD)
def group_of_agents(arena: Arena) -> Ingested:
    return arena.feed(f"From: Petugas: {SALLY}, {BUDI};", to=to_agent(arena), subject=TAG, body="#selesai")


@attack("from-folded-list", "An agent and the attacker in one From that is folded between them", HELD)
def from_folded_list(arena: Arena) -> Ingested:
    lines = (f"From:\r\n {SALLY}\r\n ,\r\n {EVIL}", f"To: {to_agent(arena)}", f"Subject: {TAG}", "Message-ID: <f@w>")
    return arena.raw("\r\n".join(lines).encode() + b"\r\n\r\n#selesai\r\n")


@attack("from-8bit", "Raw 8-bit bytes around two mailboxes in From", OWN)
def from_8bit(arena: Arena) -> Ingested:
    return arena.feed(b"From: \xe4\xb8\xad <acha@sekolah.example>\xff, " + EVIL.encode(), subject=TAG)


@attack("from-space-colon", "`From :` with the agent before the attacker's From, to the agent's token", OWN)
def from_space_colon(arena: Arena) -> Ingested:
    return arena.feed(f"From : {SALLY}", f"From: {EVIL}", to=to_agent(arena), subject=TAG, body="#selesai")


@attack("from-after-blank", "A line of one blank, and the agent's From behind it", OWN)
def from_after_blank(arena: Arena) -> Ingested:
    head = f"From: {EVIL}\r\n \r\nFrom: {SALLY}\r\nTo: {to_agent(arena)}\r\nSubject: {TAG}\r\n\r\n#selesai\r\n"
    return arena.raw(head.encode())


@attack("from-mbox-line", "An mbox line `From agent …` and `>From:` before the header", OWN)
def from_mbox_line(arena: Arena) -> Ingested:
    head = f"From {SALLY} Mon Nov  3 10:00:00 2025\r\n>From: {SALLY}\r\nFrom: {EVIL}\r\nTo: {to_agent(arena)}\r\n"
    return arena.raw(f"{head}Subject: {TAG}\r\nMessage-ID: <g@w>\r\n\r\n#selesai\r\n".encode())


@attack(
    "agent-lookalike", "An agent's address with a capital I for l, or at a domain that ends in 1e, to their token", OWN
)
def agent_lookalike(arena: Arena) -> Ingested:
    arena.feed("From: Sally (BOSP) <sally@heIpdesk.example>", to=to_agent(arena), subject=TAG, body="#selesai")
    arena.forget_new()
    done = arena.feed("From: Sally <sally@helpdesk.examp1e>", to=to_agent(arena), subject=TAG, body="#selesai")
    assert not [mail for mail in arena.desk.sent if mail.recipient.endswith(("@heipdesk.example", ".examp1e"))]
    return done


@attack("agent-punycode", "The same in punycode: an é in the domain of the desk", OWN)
def agent_punycode(arena: Arena) -> Ingested:
    done = arena.feed("From: Sally <sally@xn--hlpdesk-bya.example>", subject=TAG, body="#selesai")
    assert not [mail for mail in arena.desk.sent if "xn--" in mail.recipient]  # it reads as an agent's: no answer
    return done


@attack("reply-to-token", "Reply-To names an agent's signed address, or the agent", OWN)
def reply_to_token(arena: Arena) -> Ingested:
    arena.feed(f"From: {EVIL}", f"Reply-To: {to_agent(arena)}", subject=TAG, body="#selesai")
    arena.forget_new()
    return arena.feed(f"From: {EVIL}", f"Reply-To: {SALLY}", subject=TAG, body="#selesai")


@attack("status-reply-to", "The attacker's own STATUS with the requester in Reply-To, so that they get mail", NOTHING)
def status_reply_to(arena: Arena) -> Ingested:
    before = len(arena.desk.sent)
    done = arena.feed(f"From: {EVIL}", f"Reply-To: {ACHA}", subject="STATUS #12347")
    assert arena.desk.sent[before:] == []
    return done


@attack("from-signed-address", "From is the agent's signed address, or one like our envelope senders", NOTHING)
def from_signed_address(arena: Arena) -> Ingested:
    arena.feed("From: support+b0abc@helpdesk.example", subject=TAG)
    return arena.feed(f"From: {to_agent(arena)}", subject=TAG, body="#selesai")


@attack("merged-token", "Whose ticket was merged into another's by `paksa`: their old token in a stranger's hands", OWN)
def merged_token(arena: Arena) -> Ingested:
    token = arena.reply_address("dini@sekolah.example", 12348, "acknowledgement")
    arena.desk.reply(arena.mail(SALLY, 12348, "notification"), SALLY, "#gabung 12346 paksa")
    arena.before = arena.state()
    return arena.feed(f"From: {EVIL}", to=token, body="Halo, bagaimana kabarnya?")


@attack("commands-disguised", "Commands in a requester's reply: full-width, behind a zero-width space, in UTF-7", WORDS)
def commands_disguised(arena: Arena) -> Ingested:
    arena.feed(f"From: {ACHA}", subject=TAG, to=to_acha(arena), body="\u200b#selesai\n\uff03selesai\n#\u2060selesai")
    fields = ("MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-7")
    return arena.feed(f"From: {ACHA}", *fields, subject=TAG, to=to_acha(arena), body="+ACM-selesai")


@attack("receipt-real", "A read receipt (RFC 8098) of the requester's own program to the signed address", RECORDED)
def receipt_real(arena: Arena) -> Ingested:
    body = (
        "--b\nContent-Type: text/plain\n\nPesan Anda telah dibaca.\n--b\n"
        "Content-Type: message/disposition-notification\n\nReporting-UA: x\n"
        f"Final-Recipient: rfc822; {ACHA}\nDisposition: manual-action/MDN-sent-manually; displayed\n--b--\n"
    )
    kind = "Content-Type: multipart/report; report-type=disposition-notification; boundary=b"
    return arena.feed(
        f"From: {ACHA}", "MIME-Version: 1.0", kind, subject="Dibaca: x", body=body, to=to_acha(arena)
    )  # fmt: skip


@attack("calendar-answer", "An answer to an invitation, to the signed address", RECORDED)
def calendar_answer(arena: Arena) -> Ingested:
    body = (
        "--b\nContent-Type: text/plain\n\nAcha telah menerima undangan ini.\n--b\n"
        "Content-Type: text/calendar; method=REPLY\n\nBEGIN:VCALENDAR\nMETHOD:REPLY\nBEGIN:VEVENT\n"
        f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{ACHA}\nUID:1\nEND:VEVENT\nEND:VCALENDAR\n--b--\n"
    )
    return arena.feed(f"From: {ACHA}", *MULTIPART, subject="Diterima: Rapat #12345", body=body, to=to_acha(arena))


@attack("vacation-bare", "An out-of-office note in Indonesian without any field that shows a machine", RECORDED)
def vacation_bare(arena: Arena) -> Ingested:
    body = (
        "Terima kasih atas email Anda. Saya sedang cuti hingga tanggal 10 November 2025 dan tidak dapat membaca email. "
        "Untuk keperluan mendesak silakan hubungi Kepala Sekolah.\n\nSalam,\nAcha"
    )
    return arena.feed(f"From: {ACHA}", subject=f"Sedang Cuti: {TAG}", body=body, to=to_acha(arena))


@attack("abuse-report", "A feedback report (RFC 5965) with one of our mails and its signed address in it", QUARANTINED)
def abuse_report(arena: Arena) -> Ingested:
    body = (
        "--b\nContent-Type: text/plain\n\nThis is an email abuse report.\n--b\n"
        "Content-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: x/1\nVersion: 1\n--b\n"
        f"Content-Type: message/rfc822\n\nFrom: {ADDRESS}\nTo: {ACHA}\nSubject: {TAG}\nReply-To: {to_acha(arena)}\n\n"
        "isi\n--b--\n"
    )
    kind = "Content-Type: multipart/report; report-type=feedback-report; boundary=b"
    return arena.feed("From: feedback@isp.example", "MIME-Version: 1.0", kind, subject=f"FW: {TAG}", body=body)


@attack("bounce-to-token", "A delivery report to the requester's signed address that quotes it", QUARANTINED)
def bounce_to_token(arena: Arena) -> Ingested:
    body = f"This is the mail system.\n\n<{ACHA}>: host mx said: 550 5.1.1 user unknown\n\nReply-To: {to_acha(arena)}\n"
    fields = ("From: MAILER-DAEMON@sekolah.example", "Return-Path: <>", "Subject: Undelivered Mail Returned to Sender")
    return arena.feed(*fields, body=body, to=to_acha(arena))


SYSTEMS = {
    "zendesk": (
        "Zendesk", "[Request received] Halo",
        "##- Please type your reply above this line -##\n\nYour request (98765) has been received and is being "
        "reviewed by our support staff.\n\nTo add additional comments, reply to this email.",
    ),
    "freshdesk": (
        "Freshdesk", "Ticket Received - Halo",
        "Dear Helpdesk,\n\nWe would like to acknowledge that we have received your request and a ticket has been "
        "created with Ticket ID - 4411.\nA representative will send you a personal response.",
    ),
    "rt": (
        "RT", "[vendor.example #8812] AutoReply: Halo",
        "Greetings,\n\nThis message has been automatically generated in response to the creation of a trouble ticket "
        'regarding:\n\t"Halo",\na summary of which appears below.',
    ),
    "osticket": (
        "osTicket", "Support Ticket Opened [#123456]",
        "Dear Helpdesk,\n\nA request for support has been created and assigned #123456. A representative will "
        "follow-up with you as soon as possible.",
    ),
    "otrs": (
        "OTRS", "[Ticket#2025110310000012] RE: Halo",
        "Dear customer,\n\nThank you for your email. We have received your message and your ticket number is "
        "2025110310000012.",
    ),
    "jira": (
        "Jira", "HELP-4411 Halo",
        "Reply above this line.\n\nVendor Service Desk just created this request. Your request is now waiting.\n\n"
        "View request · Turn off this request's notifications",
    ),
    "indonesian": (
        "an Indonesian desk", "Tiket #4411 telah dibuat: Halo",
        "Yth. Bapak/Ibu,\n\nLaporan Anda telah kami terima dengan nomor tiket 4411. Mohon tidak membalas email ini.",
    ),
}  # fmt: skip


# Whose words alone are not enough: a ticket of their own, and no mail back.
IN_DOUBT = ("rt", "jira")


def _acknowledged(subject: str, body: str) -> Callable[[Arena], Ingested]:
    def mount(arena: Arena) -> Ingested:
        done = arena.feed(f"From: Vendor <{VENDOR}>", subject=subject, body=body)
        assert arena.desk.to(VENDOR) == []
        return done

    return mount


for _name, (_system, _subject, _body) in SYSTEMS.items():
    attack(
        f"desk-{_name}", f"The acknowledgement of {_system}, without a field that shows a machine",
        OWN if _name in IN_DOUBT else QUARANTINED,
    )(_acknowledged(_subject, _body))  # fmt: skip


@attack(
    "desk-unknown", "A desk that says nothing of itself and answers each of our mails, both numbers in the subject", OWN
)
def desk_unknown(arena: Arena) -> Ingested:
    done = arena.feed(f"From: {VENDOR}", subject="[VND-4411] dibuat", body="Pesan sudah kami catat, VND-4411.")
    for _ in range(8):
        ours = arena.desk.to(VENDOR)[-1]
        done = arena.feed(
            f"From: {VENDOR}", f"In-Reply-To: {ours['Message-ID']}", to=getaddresses([ours["Reply-To"]])[0][1],
            subject=f"Re: {ours['Subject']} [VND-4411]", body="Pesan sudah kami catat, VND-4411.",
        )  # fmt: skip
    assert [mail.kind for mail in arena.desk.to(VENDOR)] == ["acknowledgement"]
    return done


@attack("agent-replayed", "An agent's real answer, sent again whole under a new Message-ID", NOTHING)
def agent_replayed(arena: Arena) -> Ingested:
    def letter(message_id: str) -> bytes:
        head = f"From: {SALLY}\r\nTo: {to_agent(arena)}\r\nSubject: {TAG}\r\nMessage-ID: <{message_id}>\r\n"
        return f"{head}Date: Mon, 3 Nov 2025 10:05:00 +0700\r\n\r\nJAWABAN-ACHA lagi.\r\n".encode()

    token = to_agent(arena)
    assert arena.raw(letter("asli@helpdesk.example")).ticket == 12345 and token == to_agent(arena)
    arena.before, before = arena.state(), len(arena.desk.sent)
    done = arena.raw(letter("baru@jahat.example"))
    assert arena.desk.sent[before:] == [] and "under another Message-ID" in done.reason
    return done
