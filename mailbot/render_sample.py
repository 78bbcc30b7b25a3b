"""Invented values for every template: what `template preview` shows, what `check` renders, what golden files hold.

In: a template's name and a language. Out: its context. The people and schools here exist nowhere.
"""

from __future__ import annotations

from datetime import UTC, datetime

from mailbot.views import DeskView, EntryView, FileView, PersonView, TicketView

_AT = datetime(2025, 11, 21, 10, 12, 45, tzinfo=UTC)
_OPENS = datetime(2025, 11, 24, 1, 0, tzinfo=UTC)
_CLOSES = datetime(2025, 11, 26, 3, 30, tzinfo=UTC)
_DESK = DeskView("Helpdesk BOSP", "BOSP", "support@helpdesk.example", "https://helpdesk.example/status")
_ACHA = PersonView("acha@sekolah.example", "Acha Lestari, S.Pd.")

_WORDS = {
    "id": {
        "subject": "Tidak bisa tutup BKU",
        "report": (
            "Selamat siang,\n\nBKU bulan Oktober tidak bisa ditutup. Setelah tombol Tutup BKU ditekan, muncul pesan "
            "“Saldo tidak sama” padahal saldo bank & tunai sudah cocok.\n\nTerima kasih."
        ),
        "answer": (
            "Selamat siang Bapak/Ibu,\n\nBoleh infokan nomor NPSN sekolah dan kirim tangkapan layar halaman BKU bulan "
            "Oktober?\n\nTerima kasih."
        ),
        "reply": "Berikut NPSN sekolah kami: 20512345. Tangkapan layarnya terlampir.",
        "solved": "Selamat siang Bapak/Ibu,\n\nSaldo sudah kami sesuaikan. Silakan coba tutup BKU lagi.",
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
    },
}


def sample(name: str, language: str) -> dict[str, object]:
    """The context for one template, `desk` included."""
    words = _WORDS[language]
    event = name.rpartition("/")[2]
    status, follow_up_of, closed_at = "queued", None, None
    more: dict[str, object] = {}
    if event == "acknowledgement_out_of_hours":
        more = {"opens_at": _OPENS}
    elif event == "acknowledgement_follow_up":
        more, follow_up_of = {"opens_at": _OPENS}, 12001
    elif event == "answer":
        more, status = {"words": words["answer"], "agent_name": "Sally (BOSP)"}, "waiting"
    elif event in ("reminder_1", "reminder_2"):
        more = {"words": words["answer"], "agent_name": "Sally", "closes_at": _CLOSES}
        status = "waiting"
    elif event == "closure_solved":
        more = {"words": words["solved"], "agent_name": "Sally (BOSP)", "attachment_names": ("panduan.pdf",)}
        status, closed_at = "closed", _CLOSES
    elif event == "closure_no_reply":
        status, closed_at = "closed", _CLOSES
    elif event == "notification":
        status = "in_progress"
        more = {
            "event": "reply",
            "words": words["reply"],
            "attachments": (FileView("bku-oktober.png", 204_813), FileView("rekening koran.pdf", 1_482_001)),
            "history": (
                EntryView(_AT.replace(hour=11), "Sally", "agent", words["answer"]),
                EntryView(_AT, "Acha Lestari, S.Pd.", "requester", words["report"], ("layar.jpg",)),
            ),
        }
    ticket = TicketView(
        number=12345,
        subject=words["subject"],
        status=status,
        requester=_ACHA,
        created_at=_AT,
        closed_at=closed_at,
        agent_name="Sally" if name == "agent/notification" else "",
        program="ARKAS" if name == "agent/notification" else "",
        follow_up_of=follow_up_of,
    )
    return {"desk": _DESK, "ticket": ticket, "person": _ACHA, **more}
