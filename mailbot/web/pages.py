"""The pages: GET / (the form), POST / (a report), GET /status?nomor=N[&kunci=TOKEN], GET /health.

A report of the form becomes a mail (RFC 5322) that is processed like any other: its original is stored, duplicates are
detected, and the acknowledgement counts against the same limits. With a number alone, the status page shows number,
status and the masked address; a signed link from the desk's mail, which authenticates a participant, shows all of it.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from mailbot.desk.views import PersonView, TicketView
from mailbot.errors import TemporaryError
from mailbot.mail.compose.composer import is_usable
from mailbot.mail.compose.header_fields import clean
from mailbot.mail.reply_token import Purpose, read_tokens
from mailbot.store.queries import TicketDetail, show_ticket
from mailbot.vocabulary.labels import FORM_ERRORS

if TYPE_CHECKING:
    from mailbot.desk.wiring import Desk

log = logging.getLogger(__name__)

FIELDS = ("email", "program", "perihal", "detail")
MAX_FILES = 10
WIRE = SMTP.clone(max_line_length=998)


@dataclass(frozen=True, slots=True)
class FormReport:
    """What a visitor has submitted."""

    values: Mapping[str, str]  # by field, see FIELDS
    files: tuple[tuple[str, str, bytes], ...] = ()  # (name, content type, content)


def make_app(desk: Desk) -> Starlette:
    """Return the pages of one desk as an ASGI application."""
    pages = _Pages(desk)
    return Starlette(
        routes=[
            Route("/", pages.form, methods=["GET"]),
            Route("/", pages.take, methods=["POST"]),
            Route("/received", pages.received, methods=["GET"]),
            Route("/status", pages.status, methods=["GET"]),
            Route("/health", pages.health, methods=["GET"]),
        ],
        middleware=[Middleware(BaseHTTPMiddleware, dispatch=_guard)],
    )


async def _guard(request: Request, call_next: RequestResponseEndpoint) -> Response:
    """Prevent other sites from submitting the form, framing the pages, and learning a signed link."""
    origin = request.headers.get("origin")
    if request.method == "POST" and origin and origin.partition("//")[2] != request.headers.get("host"):
        return Response("form of another site", status_code=403)
    response = await call_next(request)
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response


class _Pages:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def form(self, request: Request) -> Response:
        return self._form_page(request, {}, ())

    async def take(self, request: Request) -> Response:
        limit = self._desk.helpdesk.profile.max_size
        if int(request.headers.get("content-length") or 0) > limit:
            return self._form_page(request, {}, ("too_large",))
        async with request.form(max_files=MAX_FILES, max_fields=20, max_part_size=limit) as form:
            report = await _read(form)
            if form.get("situs"):  # a field that is invisible to people: filled in by a bot
                return RedirectResponse("received", status_code=303)
        problems = _problems(report, self._desk, limit)
        if problems:
            return self._form_page(request, report.values, problems)
        try:
            await run_in_threadpool(self._desk.helpdesk.ingest, self._as_mail(report), "web")
        except TemporaryError as error:
            log.warning("a report from the form could not be stored: %s", error)
            return self._form_page(request, report.values, ("later",), status=503)
        return RedirectResponse("received", status_code=303)

    async def received(self, request: Request) -> Response:
        return self._page("received", request, {})

    async def status(self, request: Request) -> Response:
        asked = request.query_params.get("nomor", "").lstrip("#").strip()[:9]
        detail = None
        if asked.isascii() and asked.isdecimal():
            detail = await run_in_threadpool(show_ticket, self._desk.store, int(asked))
        is_full = detail is not None and self._is_participant(detail, request.query_params.get("kunci", ""))
        context: dict[str, Any] = {"asked": asked, "ticket": None, "email": "", "is_full": is_full}
        if detail is not None:
            shown = detail.as_json()
            address = str(shown["requester"]["email"])
            context |= {"ticket": _view(detail, is_full), "email": address if is_full else masked(address)}
        return self._page("status", request, context, status=404 if asked and detail is None else 200)

    async def health(self, request: Request) -> Response:
        try:
            await run_in_threadpool(self._desk.helpdesk.next_due)
        except TemporaryError as error:
            return JSONResponse({"ok": False, "reason": str(error)}, status_code=503)
        return JSONResponse({"ok": True})

    def _is_participant(self, detail: TicketDetail, key: str) -> bool:
        shown = detail.as_json()
        people = [shown["requester"]["email"], *shown["participants"]]
        signer = self._desk.helpdesk.profile.signer
        return any(
            token.purpose is Purpose.STATUS
            and token.number == shown["number"]
            and any(signer.belongs_to(token, person) for person in people)
            for token in read_tokens(key[:100])
        )

    def _as_mail(self, report: FormReport) -> bytes:
        """Return the report as a mail from its author to the desk."""
        profile, values = self._desk.helpdesk.profile, report.values
        mail = EmailMessage(policy=WIRE)
        mail["From"], mail["To"] = values["email"], profile.address
        mail["Subject"] = clean(values["perihal"])
        mail["Date"] = format_datetime(self._desk.clock.now().astimezone(profile.zone))
        mail["Message-ID"] = f"<{secrets.token_hex(12)}.form@{profile.domain}>"
        if values["program"]:
            mail["X-Mailbot-Program"] = clean(values["program"])
        mail.set_content(values["detail"])
        for name, kind, content in report.files:
            main, _, sub = kind.partition("/")
            mail.add_attachment(content, maintype=main or "application", subtype=sub or "octet-stream", filename=name)
        return mail.as_bytes()

    def _form_page(
        self, request: Request, values: Mapping[str, str], problems: tuple[str, ...], status: int = 0
    ) -> Response:
        language = self._language(request)
        context = {
            "values": {name: values.get(name, "") for name in FIELDS},
            "problems": [FORM_ERRORS[language][problem] for problem in problems],
            "limit": self._desk.helpdesk.profile.max_size,
        }
        return self._page("form", request, context, status=status or (400 if problems else 200))

    def _page(self, name: str, request: Request, context: dict[str, Any], status: int = 200) -> Response:
        return HTMLResponse(self._desk.renderer.page(name, self._language(request), context), status_code=status)

    def _language(self, request: Request) -> str:
        """Return the desk's language, or the one that the visitor selects by `?bahasa=en`."""
        asked = request.query_params.get("bahasa", "")
        return asked if asked in ("id", "en") else self._desk.helpdesk.profile.language


async def _read(form: FormData) -> FormReport:
    values = {name: str(form.get(name) or "").replace("\r\n", "\n").strip() for name in FIELDS}
    values["email"] = values["email"].lower()
    files = []
    for upload in form.getlist("lampiran"):
        if isinstance(upload, UploadFile) and upload.filename:
            kind = upload.content_type or "application/octet-stream"
            files.append((clean(upload.filename)[:150], kind, await upload.read()))
    return FormReport(values, tuple(files))


def _problems(report: FormReport, desk: Desk, limit: int) -> tuple[str, ...]:
    """Return why the report is not accepted, as keys of `vocabulary.labels.FORM_ERRORS`."""
    profile = desk.helpdesk.profile
    found = []
    email = report.values["email"]
    is_ours = profile.is_own(email) or any(email in (a.email, *a.aliases) for a in desk.helpdesk.agents())
    if not is_usable(email) or len(email) > 254 or is_ours:
        found.append("email")
    if not report.values["perihal"] or len(report.values["perihal"]) > 200:
        found.append("perihal")
    if not report.values["detail"] or len(report.values["detail"]) > 20_000:
        found.append("detail")
    # base64 adds a third (RFC 2045 §6.8)
    if sum(len(content) for _, _, content in report.files) * 4 // 3 + 100_000 > limit:
        found.append("too_large")
    return tuple(found)


def _view(detail: TicketDetail, is_full: bool) -> TicketView:
    shown = detail.as_json()
    answered = [m.at for m in detail.messages if m.public and m.kind in ("answer", "closure", "reply")]
    return TicketView(
        number=shown["number"],
        subject=shown["subject"] if is_full else "",
        status=shown["status"],
        requester=PersonView("", ""),
        created_at=detail.summary.created_at,
        last_answer_at=max(answered, default=None),
    )


def masked(email: str) -> str:
    """Mask an address: `acha@gmail.com` becomes `a***@gmail.com`."""
    local, _, domain = email.rpartition("@")
    return f"{local[:1]}***@{domain}"
