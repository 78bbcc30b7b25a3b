"""Invented values for every template: what `template preview` shows, what `check` renders, what golden files hold.

In: a template's name and a language. Out: its variables, and variants of them that reach the template's other
branches. The people and schools here are invented.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from mailbot.desk.views import (
    ConditionView,
    DeskView,
    EntryView,
    FaultView,
    FileView,
    HeldMailView,
    HeldView,
    OutcomeView,
    PersonView,
    TicketView,
    WaitingView,
)
from mailbot.ticket.quarantine import QuarantineFault, QuarantineReason
from mailbot.vocabulary.conditions import WORDS

_REPORTED = datetime(2025, 11, 21, 10, 12, 45, tzinfo=UTC)
_ANSWERED = datetime(2025, 11, 24, 3, 30, 8, tzinfo=UTC)
_OPENS = datetime(2025, 11, 24, 1, 0, tzinfo=UTC)
_CLOSES = datetime(2025, 11, 26, 3, 30, 8, tzinfo=UTC)
_DESK = DeskView("Helpdesk BOSP", "BOSP", "support@helpdesk.example", "https://helpdesk.example/status")
_ACHA = PersonView("acha@sekolah.example", "Acha Lestari, S.Pd.")
_SALLY = PersonView("sally@helpdesk.example", "Sally")

_WORDS = {
    "id": {
        "subject": "Tidak bisa tutup BKU",
        "report": (
            "Selamat siang,\n\nBKU bulan Oktober tidak bisa ditutup. Setelah tombol Tutup BKU ditekan, muncul pesan "
            "“Saldo tidak sama”, padahal saldo bank & tunai sudah cocok.\n\nTerima kasih."
        ),
        "answer": (
            "Selamat siang Bapak/Ibu,\n\nBoleh infokan nomor NPSN sekolah dan kirim tangkapan layar halaman BKU bulan "
            "Oktober?\n\nTerima kasih."
        ),
        "reply": "Berikut NPSN sekolah kami: 20512345. Tangkapan layarnya terlampir.",
        "solved": "Selamat siang Bapak/Ibu,\n\nSaldonya sudah kami sesuaikan. Silakan coba tutup BKU lagi.",
        "orders": "#asign budi@helpdesk.example\n#gabung 12001\nMohon dibantu.",
        "merge": "#gabung 12001",
    },
    "en": {
        "subject": "Cannot close the cash book",
        "report": (
            "Good afternoon,\n\nThe cash book of October can't be closed. After pressing Close it says “Balances "
            "differ”, although bank & cash agree.\n\nThank you."
        ),
        "answer": (
            "Good afternoon,\n\nCould you tell us your school's number and send a screenshot of October's page?\n\n"
            "Thank you."
        ),
        "reply": "Our school's number is 20512345. The screenshot is attached.",
        "solved": "Good afternoon,\n\nWe have put the balances right. Please try to close the cash book again.",
        "orders": "#asign budi@helpdesk.example\n#merge 12001\nPlease have a look.",
        "merge": "#merge 12001",
    },
}

_FAULTS = ("missing_argument", "bad_argument", "surplus_argument", "conflict", "needs_ticket", "no_such_agent")
_MORE_FAULTS = ("no_such_ticket", "same_ticket", "already_closed", "already_merged", "no_such_macro")

_OUTCOMES = (
    ("let_in", "delivery report: 5.1.1"), ("held_again", "ZeroDivisionError: a parser broke"), ("dropped", ""),
    ("left", ""), ("let_in_before", ""), ("dropped_before", ""), ("busy", ""),
)  # fmt: skip

Sample = Callable[[dict[str, str], TicketView], dict[str, object]]


def _history(words: dict[str, str]) -> tuple[EntryView, ...]:
    return (
        EntryView(_ANSWERED, "Sally", "agent", words["answer"]),
        EntryView(_REPORTED, "Acha Lestari, S.Pd.", "requester", words["report"], ("layar.jpg",)),
    )


def _closed(ticket: TicketView) -> TicketView:
    return replace(ticket, status="closed", closed_at=_CLOSES)


def _reminder(words: dict[str, str], ticket: TicketView) -> dict[str, object]:
    return {
        "ticket": replace(ticket, status="waiting"),
        "words": words["answer"],
        "agent_name": "Sally (BOSP)",
        "closes_at": _CLOSES,
    }


def _notice(topic: str, **facts: str) -> Sample:
    """Return the variables of a notice, with the facts that `ticket.lifecycle` gives for its topic."""
    return lambda words, ticket: {"topic": topic, "facts": facts}


def _condition(language: str, name: str, words: str, **values: str) -> ConditionView:
    """Return a failure of the desk itself; `over_at` is for the caller to set."""
    found, remedy = WORDS[language][words]
    return ConditionView(
        WORDS[language][f"title.{name}"][0], found.format(**values), remedy.format(**values), _REPORTED
    )  # fmt: skip


def _inbox_down(words: dict[str, str]) -> ConditionView:
    reason = "IMAP mail.helpdesk.example:993: connecting: the connection was refused. Check that the server runs."
    return _condition(words["language"], "inbox", "inbox", reason=reason)


def _token_refused(words: dict[str, str]) -> ConditionView:
    reason = "https://login.example/token refused a new token (invalid_grant): the consent has ended."
    values = {"server": "SMTP", "section": "smtp", "reason": reason}
    return _condition(words["language"], "outbox_login", "login.token", **values)


def _without_ticket(topic: str, **facts: str) -> Sample:
    """Return the variables of a notice about the desk rather than a ticket."""
    return lambda words, ticket: {"topic": topic, "facts": facts, "ticket": None}


# Template → its variables beside desk, ticket and person, or instead of them.
_SAMPLES: dict[str, Sample] = {
    "requester/acknowledgement": lambda words, ticket: {},
    "requester/acknowledgement_out_of_hours": lambda words, ticket: {"opens_at": _OPENS},
    "requester/acknowledgement_follow_up": lambda words, ticket: {
        "ticket": replace(ticket, follow_up_of=12001),
        "opens_at": _OPENS,
    },
    "requester/answer": lambda words, ticket: {
        "ticket": replace(ticket, status="waiting"),
        "words": words["answer"],
        "agent_name": "Sally (BOSP)",
        "attachment_names": ("panduan-bku.pdf",),
    },
    "requester/reminder_1": _reminder,
    "requester/reminder_2": _reminder,
    "requester/closure_solved": lambda words, ticket: {
        "ticket": _closed(ticket),
        "words": words["solved"],
        "agent_name": "Sally (BOSP)",
        "attachment_names": ("panduan-bku.pdf",),
    },
    "requester/closure_no_reply": lambda words, ticket: {"ticket": _closed(ticket)},
    "requester/status": lambda words, ticket: {
        "ticket": replace(ticket, status="waiting", last_answer_at=_ANSWERED),
    },
    "requester/status_unknown": lambda words, ticket: {"number": 12345},
    "requester/oversize": lambda words, ticket: {
        "ticket": None,
        "size": 41_300_000,
        "limit": 35_000_000,
        "mail_subject": words["subject"],
    },
    "agent/notification": lambda words, ticket: {
        "ticket": replace(ticket, status="in_progress", agent_name="Sally", program="ARKAS", tags=("bku", "saldo")),
        "event": "reply",
        "words": words["reply"],
        "attachments": (FileView("bku-oktober.png", 204_813), FileView("rekening koran.pdf", 1_482_001)),
        "history": _history(words),
    },
    "agent/error": lambda words, ticket: {
        "person": _SALLY,
        "words": words["orders"],
        "errors": (
            FaultView("unknown", "#asign budi@helpdesk.example", 1, "asign", ("#oper", "#assign")),
            FaultView("other_requester", words["merge"], 2, "12001"),
        ),
    },
    "agent/notice": lambda words, ticket: {
        "person": _SALLY,
        "ticket": replace(ticket, status="waiting", agent_name="Sally"),
        "topic": "colleague_acted",
        "facts": {"actor": "Budi", "did": "answer", "words": words["answer"]},
    },
    "agent/confirm": lambda words, ticket: {
        "person": _SALLY,
        "ticket": None,
        "mail_subject": f"Re: #12345 - {words['subject']}",
        "words": words["answer"],
    },
    "agent/help": lambda words, ticket: {"person": _SALLY, "ticket": None},
    "admin/alert": lambda words, ticket: {
        "person": _SALLY,
        "ticket": None,
        "state": "new",
        "new": (_inbox_down(words), _token_refused(words)),
        "still": (),
        "over": (),
        "besides": (),
        "waiting": WaitingView(17, _ANSWERED, 1, 2),
        "machine": "mail.helpdesk.example",
    },
    "agent/quarantine": lambda words, ticket: {
        "person": _SALLY,
        "ticket": None,
        "total": 342,
        "more": 340,
        "mails": (
            HeldMailView(
                1, _ACHA.email, words["subject"], 20_412, _REPORTED, "poison", "ZeroDivisionError: a parser broke"
            ),
            HeldMailView(2, _SALLY.email, f"Re: #12345 - {words['subject']}", 4_812, _ANSWERED, "unconfirmed"),
        ),
    },
    "agent/quarantine_done": lambda words, ticket: {
        "person": _SALLY,
        "ticket": None,
        "errors": (),
        "outcomes": (
            OutcomeView(1, _ACHA.email, words["subject"], "let_in", 12345),
            OutcomeView(2, "", "", "dropped"),
        ),
    },
}


# Template → name of a variant → what differs from the sample, for the branches that the sample does not reach.
_VARIANTS: dict[str, dict[str, Sample]] = {
    "requester/acknowledgement": {
        "no_name": lambda words, ticket: {"person": PersonView("sdn1@sekolah.example")},
        "held_files": lambda words, ticket: {"held_files": 1},
    },
    "requester/acknowledgement_follow_up": {"in_hours": lambda words, ticket: {"opens_at": None}},
    "requester/answer": {
        "closed": lambda words, ticket: {"ticket": _closed(ticket), "attachment_names": ()},
        "in_progress": lambda words, ticket: {"ticket": replace(ticket, status="in_progress"), "words": ""},
    },
    "requester/reminder_1": {
        "bare": lambda words, ticket: {"words": "", "agent_name": "", "closes_at": None},
    },
    "requester/closure_solved": {"no_words": lambda words, ticket: {"words": "", "attachment_names": ()}},
    "requester/status": {
        "queued": lambda words, ticket: {"ticket": ticket},
        "in_progress": lambda words, ticket: {"ticket": replace(ticket, status="in_progress")},
        "closed": lambda words, ticket: {"ticket": replace(_closed(ticket), last_answer_at=_ANSWERED)},
    },
    "requester/oversize": {"on_ticket": lambda words, ticket: {"ticket": ticket, "mail_subject": ""}},
    "agent/notification": {
        "report": lambda words, ticket: {
            "ticket": replace(ticket, priority="urgent"),
            "event": "report",
            "words": words["report"],
            "attachments": (),
            "history": (),
            "named": 12001,
        },
        "follow_up": lambda words, ticket: {
            "ticket": replace(ticket, follow_up_of=12001),
            "event": "follow_up",
            "words": "",
            "elsewhere": True,
        },
        "held": lambda words, ticket: {
            "held": (HeldView("surat.zip (undangan.apk)", "programs"), HeldView("foto.jpg", "unscanned")),
        },
    },
    "agent/error": {
        "files": lambda words, ticket: {
            "errors": (FaultView("refused_file", "", 0, "aplikasi.apk"), FaultView("own_mail", "", 0, "Re.eml")),
        },
        "more": lambda words, ticket: {
            "errors": tuple(FaultView(fault, words["merge"], 1, "12001") for fault in _FAULTS + _MORE_FAULTS),
        },
        "no_words": lambda words, ticket: {"errors": (FaultView("needs_words", "", 1),), "words": ""},
        "two_tickets": lambda words, ticket: {
            "errors": (FaultView("two_tickets", f"Re: #12346 - {words['subject']}", 0, "#12346", ("#12345",)),),
        },
        "no_ticket": lambda words, ticket: {"ticket": None},
    },
    "agent/notice": {
        "assigned": _notice("assigned", actor="Budi"),
        "noted": _notice("colleague_acted", actor="Budi", did="note"),
        "ordered": _notice("colleague_acted", actor="Budi", did="commands"),
        "answered_closed": lambda words, ticket: {
            "ticket": _closed(ticket),
            "topic": "answered_closed",
            "facts": {"words": words["answer"]},
        },
        "delivery_failed": _notice(
            "delivery_failed", recipient=_ACHA.email, kind="answer", reason="550 5.1.1 no such user"
        ),
        "delivery_delayed": _notice(
            "delivery_delayed", recipient=_ACHA.email, kind="reminder", reason="451 4.7.1 greylisted, try again later"
        ),
        "reply_too_large": _notice("reply_unread", author=_ACHA.email, why="too_large"),
        "reply_quarantined": _notice("reply_unread", author=_ACHA.email, why="quarantined"),
        "merged": _notice("merged", actor="Budi", source="12001"),
        "forward_opened": _notice("forward_opened", requester=_ACHA.email),
        **{
            "sender_limit" if cap == "sender" else f"limit_{cap}": _without_ticket(
                "sender_limit", recipient=_ACHA.email, limit="20", cap=cap
            )
            for cap in ("sender", "ticket", "echo", "alike", "domain", "rally", "spread", "overall", "confirm")
        },
        "folded_replies": _notice("folded", count="31", words="10:00 Acha Lestari, S.Pd.: Kendala masih terjadi"),
        "folded_reports": _without_ticket("folded", count="31", numbers="#12346 … #12376"),
    },
    "agent/help": {"on_ticket": lambda words, ticket: {"ticket": ticket}},
    "admin/alert": {
        "still": lambda words, ticket: {"state": "still", "new": (), "still": (_inbox_down(words),)},
        "over": lambda words, ticket: {
            "state": "over",
            "new": (),
            "over": (replace(_inbox_down(words), over_at=_OPENS),),
            "besides": (_token_refused(words),),
            "waiting": WaitingView(0, None, 0, 0),
        },
        "unknown": lambda words, ticket: {"new": (_token_refused(words),), "waiting": None},
        "trial": lambda words, ticket: {"state": "trial", "new": (), "waiting": None},
    },
    "agent/quarantine": {
        "whys": lambda words, ticket: {
            "total": len(QuarantineReason),
            "more": 0,
            "mails": tuple(
                HeldMailView(
                    n, "", "", 900, _REPORTED, why.value, "RuntimeError", why is not QuarantineReason.TOO_LARGE
                )
                for n, why in enumerate(QuarantineReason, 1)
            ),
        },
        "one": lambda words, ticket: {
            "total": 1,
            "more": 0,
            "mails": (HeldMailView(1, _ACHA.email, words["subject"], 900, _REPORTED, "spam", "X-Spam-Flag: YES"),),
        },
    },
    "agent/quarantine_done": {
        "outcomes": lambda words, ticket: {
            "outcomes": tuple(
                OutcomeView(n, _ACHA.email, words["subject"], code, None, reason)
                for n, (code, reason) in enumerate(_OUTCOMES, 1)
            ),
        },
        "refused": lambda words, ticket: {
            "outcomes": (),
            "errors": tuple(FaultView(fault.value, "lepas 3 hapus 9", 2, "9") for fault in QuarantineFault),
        },
        "no_order": lambda words, ticket: {"outcomes": (), "errors": (FaultView("no_order", "", 0),)},
    },
}


def sample(name: str, language: str) -> dict[str, object]:
    """Return the variables of one template, `desk` included."""
    words, ticket = _words_and_ticket(language)
    return {"desk": _DESK, "ticket": ticket, "person": _ACHA, **_SAMPLES[name](words, ticket)}


def samples(name: str, language: str) -> dict[str, dict[str, object]]:
    """Return the sample under "", and every variant of it under the variant's name."""
    words, ticket = _words_and_ticket(language)
    usual = sample(name, language)
    return {"": usual} | {
        variant: usual | differing(words, ticket) for variant, differing in _VARIANTS.get(name, {}).items()
    }


def _words_and_ticket(language: str) -> tuple[dict[str, str], TicketView]:
    words = _WORDS[language] | {"language": language}
    return words, TicketView(12345, words["subject"], "queued", _ACHA, _REPORTED)
