"""Every outgoing mail, whole, as it was last reviewed (tests/golden/*.eml).

After an intended change: `pytest tests/unit/desk/outbound/test_golden.py --update-golden`, then review the difference.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from mailbot.desk.outbound.template_samples import samples
from mailbot.desk.outbound.templates import (
    LANGUAGES,
    TEMPLATES,
    Renderer,
    RenderSettings,
)
from mailbot.desk.views import PersonView, TicketView
from mailbot.mail.compose.attachments import enclose
from mailbot.mail.compose.composer import Draft, compose
from mailbot.mail.message import Address, Attachment, MessageKind
from mailbot.mail.mime.html_to_text import html_to_text
from mailbot.mail.reply.sent_texts import SentTexts
from mailbot.ticket.service_hours import ServiceHours

GOLDEN = Path(__file__).parents[3] / "golden"
JAKARTA = ZoneInfo("Asia/Jakarta")
RENDERER = Renderer(RenderSettings(JAKARTA, hours=ServiceHours(JAKARTA)))
WRITTEN = datetime(2025, 11, 24, 10, 30, 8, tzinfo=timezone(timedelta(hours=7)))
REPORT_ID = "<CAF5w-laporan@mail.gmail.com>"
KINDS = {
    "requester/answer": MessageKind.ANSWER,
    "requester/reminder_1": MessageKind.REMINDER,
    "requester/reminder_2": MessageKind.REMINDER,
    "requester/closure_solved": MessageKind.CLOSURE,
    "requester/closure_no_reply": MessageKind.CLOSURE,
    "requester/status": MessageKind.STATUS,
    "requester/status_unknown": MessageKind.STATUS,
    "requester/oversize": MessageKind.NOTICE,
    "agent/notification": MessageKind.NOTIFICATION,
}
CASES = [
    pytest.param(name, variant, language, id=f"{name.replace('/', '-')}{'.' if variant else ''}{variant}.{language}")
    for name in TEMPLATES
    for language in LANGUAGES
    for variant in samples(name, language)
]


def draft_of(name: str, variant: str, language: str) -> Draft:
    """The mail as the desk would send it: to the school, or to Sally."""
    context = samples(name, language)[variant]
    rendered = RENDERER.render(name, language, context)
    person, ticket = context["person"], context["ticket"]
    assert isinstance(person, PersonView)
    words = context.get("words")
    is_agent = name.startswith(("agent/", "admin/"))
    default = MessageKind.NOTICE if is_agent else MessageKind.ACKNOWLEDGEMENT
    draft = Draft(
        kind=KINDS.get(name, default),
        from_name=str(context.get("agent_name") or "Helpdesk BOSP"),
        from_email="support@helpdesk.example",
        to=Address("sally@helpdesk.example", "Sally") if is_agent else Address(person.email, person.name),
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        message_id=f"<{name.replace('/', '.')}.0123456789@helpdesk.example>",
        date=WRITTEN,
        reply_to="support+a1b2c3d4e5@helpdesk.example",
        in_reply_to=REPORT_ID,
        references=(REPORT_ID,),
        ticket_number=12345 if isinstance(ticket, TicketView) and name != "requester/status_unknown" else None,
        auto_submitted="" if "agent_name" in context and "reminder" not in name and words else "auto-generated",
        instance_id="f00dcafe",
        thread_root=REPORT_ID,
        thread_started=WRITTEN - timedelta(days=3),
    )
    if not name.startswith("admin/"):
        return draft
    return replace(draft, reply_to="", in_reply_to="", references=(), thread_root="", thread_started=None)


def compare(file: Path, raw: bytes, *, update: bool) -> None:
    if update:
        file.write_bytes(raw)
    assert file.is_file(), f"{file.name} is missing: run with --update-golden and read what it writes"
    assert raw.decode("ascii").splitlines() == file.read_bytes().decode("ascii").splitlines()
    assert raw == file.read_bytes()


@pytest.mark.parametrize(("name", "variant", "language"), CASES)
def test_the_mail_is_what_it_was(name: str, variant: str, language: str, request: pytest.FixtureRequest) -> None:
    raw = compose(draft_of(name, variant, language))
    assert len(raw) < 12_000  # issue 2, point 10
    update = bool(request.config.getoption("--update-golden"))
    compare(GOLDEN / f"{request.node.callspec.id}.eml", raw, update=update)


@pytest.mark.parametrize(("name", "variant", "language"), CASES)
def test_the_html_says_nothing_that_the_text_does_not(name: str, variant: str, language: str) -> None:
    """The outbox keeps the text alone; a quoted line of ours that is not in it would be taken for an answer."""
    draft = draft_of(name, variant, language)
    ours = SentTexts([draft.text])
    assert [line for line in html_to_text(draft.html).splitlines() if line.strip() and not ours.may_contain(line)] == []


def test_the_mail_with_files_is_what_it_was(request: pytest.FixtureRequest) -> None:
    draft = draft_of("requester/answer", "", "id")
    draft = replace(draft, html=draft.html.replace("Terima kasih.", 'Terima kasih. <img src="cid:layar@x.example">'))
    files = [
        Attachment("panduan-bku.pdf", "application/pdf", b"%PDF-1.4\n" * 12),
        Attachment("foto – layar é.png", "image/png", b"\x89PNG\r\n" * 12, content_id="layar@x.example", inline=True),
    ]
    update = bool(request.config.getoption("--update-golden"))
    compare(GOLDEN / "with-files.id.eml", bytes(enclose(compose(draft), files)), update=update)


def test_no_golden_file_is_left_over() -> None:
    wanted = {f"{case.id}.eml" for case in CASES} | {"with-files.id.eml"}
    assert {file.name for file in GOLDEN.glob("*.eml")} == wanted
