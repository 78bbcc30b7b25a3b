"""Invented values for every template: what `template preview` shows, what `check` renders, what golden files hold.

In: a template's name and a language. Out: its context. The people and schools here exist nowhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from mailbot.views import DeskView, EntryView, FaultView, FileView, PersonView, TicketView

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


# Template → what it has beside desk, ticket and person, or instead of them.
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
}


def sample(name: str, language: str) -> dict[str, object]:
    """The context for one template, `desk` included."""
    words = _WORDS[language]
    ticket = TicketView(12345, words["subject"], "queued", _ACHA, _REPORTED)
    return {"desk": _DESK, "ticket": ticket, "person": _ACHA, **_SAMPLES[name](words, ticket)}
