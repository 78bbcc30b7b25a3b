"""The demo's page: a mail program for four people, the desk's tickets, the clock and the tour, over HTTP on 127.0.0.1.

In: a `Session`. Out: an ASGI application (starlette). `GET /api/state` returns everything, `GET /api/events` notifies
of changes (server-sent events); changing requests are POST with JSON. `same_origin` rejects other web sites. The HTML
of mail has its own URL, with a policy that allows neither scripts nor anything from outside.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import re
import smtplib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from mailbot.demo.mail_client import Draft, File, new_mail, out_of_office, reply, reply_recipients, reply_subject
from mailbot.demo.mails import DemoMail
from mailbot.demo.people import BY_KEY, Person, is_desk
from mailbot.demo.same_origin import SameOriginOnly
from mailbot.demo.session import POLL_SECONDS, Session, mail_line, ticket_view
from mailbot.demo.tour import steps

# A mail with attachments, base64 within JSON, bytes.
MAX_BODY = 60_000_000
# Longest time between two events, seconds: only a failed write shows that the tab is closed.
HEARTBEAT = 15.0
AWAY = "Terima kasih atas email Anda. Saya sedang dinas luar.\nIni adalah balasan otomatis."

DARK_WANTED = re.compile(r"\(prefers-color-scheme: ?dark\)")
DARK = "<style>:root{color-scheme:dark}body{background:#1e2226;color:#e6e8ea}</style>"
QUOTE = '<div class="gmail_quote'
MAIL_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox allow-same-origin allow-popups; "
    "frame-ancestors 'self'"
)
MAIL_HEAD = (
    '<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    '<base target="_blank"><style>body{margin:0;font:15px/1.55 system-ui,sans-serif;overflow-wrap:anywhere}'
    "details{margin-top:12px}summary{cursor:pointer;width:2.2em;text-align:center;list-style:none;border-radius:8px;"
    "background:#8883;line-height:1.2}</style>"
)


def make_app(session: Session, port: Callable[[], int]) -> Starlette:
    """Return the application; `port()` is the port that it is served on."""
    page = _Page(session)
    return Starlette(
        routes=[
            Route("/", page.index),
            Mount("/static", StaticFiles(packages=[("mailbot.demo", "static")])),
            Route("/api/state", page.state),
            Route("/api/story", page.story),
            Route("/api/events", page.events),
            Route("/api/letters/{id:int}", page.mail),
            Route("/api/letters/{id:int}/html", page.mail_html),
            Route("/api/letters/{id:int}/raw", page.mail_raw),
            Route("/api/letters/{id:int}/files/{number:int}", page.mail_file),
            Route("/api/tickets/{number:int}", page.ticket),
            Route("/api/read", page.read, methods=["POST"]),
            Route("/api/send", page.send, methods=["POST"]),
            Route("/api/clock", page.clock, methods=["POST"]),
            Route("/api/tour/next", page.tour_next, methods=["POST"]),
            Route("/api/restart", page.restart, methods=["POST"]),
        ],
        middleware=[Middleware(SameOriginOnly, port=port)],
        exception_handlers={HTTPException: _explain},
    )


async def _explain(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, error.status_code)


class _Page:
    def __init__(self, session: Session) -> None:
        self._session = session

    # Reading. Plain functions: starlette runs them in a thread pool.

    def index(self, request: Request) -> Response:
        return HTMLResponse(files("mailbot.demo").joinpath("static/index.html").read_text("utf-8"))

    def state(self, request: Request) -> Response:
        return JSONResponse(self._session.state())

    def story(self, request: Request) -> Response:
        return JSONResponse(
            [
                {"key": step.key, **{lang: {"title": w.title, "text": w.text} for lang, w in step.words.items()}}
                for step in steps()
            ]
        )

    def mail(self, request: Request) -> Response:
        mail = self._mail(request.path_params["id"])
        message = mail.message
        answers = {
            mode: [{"name": a.name or a.email, "email": a.email} for group in found for a in group]
            for mode, found in (
                ("reply", reply_recipients(mail.person, mail, everybody=False)),
                ("reply_all", reply_recipients(mail.person, mail, everybody=True)),
            )
        }
        return JSONResponse(
            {
                **mail_line(mail, is_read=True),
                "text": message.text,
                "has_html": bool(message.html),
                "headers": list(message.headers),
                "answers": answers,
                "answer_subject": reply_subject(message.subject),
                "attachments": [
                    {"number": n, "name": a.name, "type": a.content_type, "size": a.size}
                    for n, a in enumerate(message.attachments)
                ],
            }
        )

    def mail_html(self, request: Request) -> Response:
        message = self._mail(request.path_params["id"]).message
        document = message.html
        for file in message.attachments:
            if file.content_id and file.content_type.startswith("image/"):
                inline = f"data:{file.content_type};base64,{base64.b64encode(file.content).decode()}"
                document = document.replace(f"cid:{file.content_id}", inline)
        if (theme := request.query_params.get("theme")) in ("dark", "light"):
            # The page has a theme switch; the mail's dark style follows it, not the machine's setting.
            document = DARK_WANTED.sub("all" if theme == "dark" else "not all", document)
            document = DARK + document if theme == "dark" else document
        # The quotation is collapsed, as in mail clients; it comes last, so no element has to be closed.
        document = document.replace(QUOTE, f"<details><summary>•••</summary>{QUOTE}", 1)
        return HTMLResponse(MAIL_HEAD + document, headers={"Content-Security-Policy": MAIL_POLICY})

    def mail_raw(self, request: Request) -> Response:
        return PlainTextResponse(self._mail(request.path_params["id"]).raw.decode("utf-8", "replace"))

    def mail_file(self, request: Request) -> Response:
        attachments = self._mail(request.path_params["id"]).message.attachments
        number = request.path_params["number"]
        if number >= len(attachments):
            raise HTTPException(404, "there is no such attachment")
        file = attachments[number]
        name = quote(file.name, safe="")
        shown = file.content_type in ("image/png", "image/jpeg", "image/gif", "image/webp")
        return Response(
            file.content,
            media_type=file.content_type if shown else "application/octet-stream",
            headers={
                # RFC 6266 §4.3 and RFC 8187: any name, without a chance to break out of the header
                "Content-Disposition": f"{'inline' if shown else 'attachment'}; filename*=utf-8''{name}",
                "Content-Security-Policy": "default-src 'none'; sandbox",
            },
        )

    def ticket(self, request: Request) -> Response:
        found = self._session.simulation.ticket(request.path_params["number"])
        if found is None:
            raise HTTPException(404, "there is no such ticket")
        return JSONResponse(ticket_view(found))

    async def events(self, request: Request) -> Response:
        return StreamingResponse(self._revisions(), media_type="text/event-stream")

    async def _revisions(self) -> AsyncIterator[str]:
        """Yield the revision at each change; polls the desk as long as somebody listens."""
        loop, changed = asyncio.get_running_loop(), asyncio.Event()

        def notify() -> None:
            loop.call_soon_threadsafe(changed.set)

        unlisten = self._session.changes.listen(notify)
        try:
            yield f"data: {self._session.changes.revision}\n\n"
            quiet = 0.0
            while not self._session.is_over:
                try:
                    await asyncio.wait_for(changed.wait(), POLL_SECONDS)
                except TimeoutError:
                    quiet += POLL_SECONDS
                    await run_in_threadpool(self._session.poll_desk)
                if changed.is_set() or quiet > HEARTBEAT:
                    changed.clear()
                    quiet = 0.0
                    yield f"data: {self._session.changes.revision}\n\n"
        finally:
            unlisten()

    # Changing

    async def read(self, request: Request) -> Response:
        wanted = await _json(request)
        self._session.simulation.mailboxes.mark_read(n for n in wanted.get("letters", []) if isinstance(n, int))
        return JSONResponse({})

    async def send(self, request: Request) -> Response:
        wanted = await _json(request)
        writer = BY_KEY.get(str(wanted.get("from")))
        if writer is None:
            raise HTTPException(400, "there is nobody of that name")
        return JSONResponse({"id": (await run_in_threadpool(self._send, writer, wanted)).id})

    def _send(self, writer: Person, wanted: dict[str, Any]) -> DemoMail:
        simulation, mode = self._session.simulation, str(wanted.get("mode", "new"))
        draft = Draft(
            writer,
            str(wanted.get("text", "")),
            simulation.clock.now(),
            _files(wanted.get("files", [])),
            str(wanted.get("subject", "")).strip(),
        )
        if mode == "new":
            to = [str(address).strip().lower() for address in wanted.get("to", [])]
            if not to or not all(map(_is_known, to)):
                raise HTTPException(400, "this demo has only the helpdesk and its four people to write to")
            outgoing = new_mail(draft, to)
        else:
            mail = self._mail(wanted.get("letter"))
            if mail.person is not writer:
                raise HTTPException(400, "that mail is in somebody else's mailbox")
            if mode == "away":
                outgoing = out_of_office(replace(draft, text=AWAY), mail)
            else:
                outgoing = reply(draft, mail, everybody=mode == "reply_all")
        try:
            return simulation.send(writer, outgoing)
        except smtplib.SMTPException as error:
            raise HTTPException(502, f"the mail server rejected it: {error}") from error

    async def clock(self, request: Request) -> Response:
        wanted = await _json(request)
        simulation = self._session.simulation
        match wanted:
            case {"speed": int() | float() as speed}:
                await run_in_threadpool(simulation.set_speed, float(speed))
            case {"jump_hours": int() | float() as hours} if 0 < hours <= 24 * 31:
                await run_in_threadpool(simulation.jump, timedelta(hours=hours))
            case _:
                raise HTTPException(400, "a speed, or hours to jump")
        return JSONResponse({})

    async def tour_next(self, request: Request) -> Response:
        await _json(request)
        return JSONResponse({"started": self._session.tour.next()}, 202)

    async def restart(self, request: Request) -> Response:
        await _json(request)
        await run_in_threadpool(self._session.restart)
        return JSONResponse({})

    def _mail(self, number: object) -> DemoMail:
        mail = self._session.simulation.mailboxes.get(number) if isinstance(number, int) else None
        if mail is None:
            raise HTTPException(404, "there is no such mail")
        return mail


async def _json(request: Request) -> dict[str, Any]:
    """Return the request's JSON object, of a bounded size."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY:
            raise HTTPException(413, "that is too large for one mail")
    try:
        wanted = json.loads(body or b"{}")
    except ValueError as error:
        raise HTTPException(400, "this is not JSON") from error
    if not isinstance(wanted, dict):
        raise HTTPException(400, "this is not a JSON object")
    return wanted


def _files(wanted: object) -> tuple[File, ...]:
    """Decode attachments: [{"name": …, "content": base64}]."""
    found = []
    for file in wanted if isinstance(wanted, list) else []:
        try:
            name = str(file["name"]).replace("/", "_").replace("\\", "_")
            found.append(File(name, base64.b64decode(file["content"], validate=True)))
        except (KeyError, TypeError, binascii.Error) as error:
            raise HTTPException(400, "an attachment can't be decoded") from error
    return tuple(found)


def _is_known(address: str) -> bool:
    return is_desk(address) or any(person.email == address for person in BY_KEY.values())
