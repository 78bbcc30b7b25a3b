"""The demo's page: a mail program for four people, the desk's tickets, the clock and the tour, over HTTP on 127.0.0.1.

In: a `Session`. Out: an ASGI application (starlette). `GET /api/state` is everything, `GET /api/events` rings
(server-sent events) when it is worth getting again; what changes something is POST with JSON. `guard` decides who asks.
The mails' HTML comes from its own address with a policy that allows neither scripts nor anything from outside.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import re
import smtplib
from collections.abc import AsyncIterator, Callable
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

from mailbot.demo.mail_client import File, new_mail, out_of_office, reply, reply_recipients, reply_subject
from mailbot.demo.mails import DemoMail
from mailbot.demo.people import BY_KEY, Person, is_desk
from mailbot.demo.same_origin import Guard
from mailbot.demo.session import LOOK, Session, letter_line, ticket_view
from mailbot.demo.tour import steps

# A mail with attachments, base64 within JSON, bytes.
LARGEST_BODY = 60_000_000
# A line at least so often, or nobody notices that the tab is gone; seconds.
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
    """The application; `port()` is where it is served."""
    page = _Page(session)
    return Starlette(
        routes=[
            Route("/", page.index),
            Mount("/static", StaticFiles(packages=[("mailbot.demo", "static")])),
            Route("/api/state", page.state),
            Route("/api/story", page.story),
            Route("/api/events", page.events),
            Route("/api/letters/{id:int}", page.letter),
            Route("/api/letters/{id:int}/html", page.letter_html),
            Route("/api/letters/{id:int}/raw", page.letter_raw),
            Route("/api/letters/{id:int}/files/{number:int}", page.letter_file),
            Route("/api/tickets/{number:int}", page.ticket),
            Route("/api/read", page.read, methods=["POST"]),
            Route("/api/send", page.send, methods=["POST"]),
            Route("/api/clock", page.clock, methods=["POST"]),
            Route("/api/tour/next", page.tour_next, methods=["POST"]),
            Route("/api/restart", page.restart, methods=["POST"]),
        ],
        middleware=[Middleware(Guard, port=port)],
        exception_handlers={HTTPException: _explain},
    )


async def _explain(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, error.status_code)


class _Page:
    def __init__(self, session: Session) -> None:
        self._session = session

    # Reading. Plain functions: starlette runs them in a pool of threads.

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

    def letter(self, request: Request) -> Response:
        letter = self._letter(request.path_params["id"])
        mail = letter.mail
        answers = {
            mode: [{"name": a.name or a.email, "email": a.email} for group in found for a in group]
            for mode, found in (
                ("reply", reply_recipients(letter.person, letter, everybody=False)),
                ("reply_all", reply_recipients(letter.person, letter, everybody=True)),
            )
        }
        return JSONResponse(
            {
                **letter_line(letter, is_read=True),
                "text": mail.text,
                "has_html": bool(mail.html),
                "headers": list(mail.headers),
                "answers": answers,
                "answer_subject": reply_subject(mail.subject),
                "attachments": [
                    {"number": n, "name": a.name, "type": a.content_type, "size": a.size}
                    for n, a in enumerate(mail.attachments)
                ],
            }
        )

    def letter_html(self, request: Request) -> Response:
        mail = self._letter(request.path_params["id"]).mail
        document = mail.html
        for file in mail.attachments:
            if file.content_id and file.content_type.startswith("image/"):
                inline = f"data:{file.content_type};base64,{base64.b64encode(file.content).decode()}"
                document = document.replace(f"cid:{file.content_id}", inline)
        if (theme := request.query_params.get("theme")) in ("dark", "light"):
            # The page has a switch; the mail's own dark look shall follow it, not the machine's setting.
            document = DARK_WANTED.sub("all" if theme == "dark" else "not all", document)
            document = DARK + document if theme == "dark" else document
        # What is quoted is folded away, as mail programs do; it comes last, so nothing has to be closed.
        document = document.replace(QUOTE, f"<details><summary>•••</summary>{QUOTE}", 1)
        return HTMLResponse(MAIL_HEAD + document, headers={"Content-Security-Policy": MAIL_POLICY})

    def letter_raw(self, request: Request) -> Response:
        return PlainTextResponse(self._letter(request.path_params["id"]).raw.decode("utf-8", "replace"))

    def letter_file(self, request: Request) -> Response:
        attachments = self._letter(request.path_params["id"]).mail.attachments
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
        found = self._session.world.ticket(request.path_params["number"])
        if found is None:
            raise HTTPException(404, "there is no such ticket")
        return JSONResponse(ticket_view(found))

    async def events(self, request: Request) -> Response:
        return StreamingResponse(self._rings(), media_type="text/event-stream")

    async def _rings(self) -> AsyncIterator[str]:
        """The revision, at each change; the desk's side is looked at as long as somebody listens."""
        loop, rung = asyncio.get_running_loop(), asyncio.Event()

        def ring() -> None:
            loop.call_soon_threadsafe(rung.set)

        unlisten = self._session.bell.listen(ring)
        try:
            yield f"data: {self._session.bell.revision}\n\n"
            quiet = 0.0
            while not self._session.is_over:
                try:
                    await asyncio.wait_for(rung.wait(), LOOK)
                except TimeoutError:
                    quiet += LOOK
                    await run_in_threadpool(self._session.look)
                if rung.is_set() or quiet > HEARTBEAT:
                    rung.clear()
                    quiet = 0.0
                    yield f"data: {self._session.bell.revision}\n\n"
        finally:
            unlisten()

    # Changing

    async def read(self, request: Request) -> Response:
        wanted = await _json(request)
        self._session.world.letters.mark_read(n for n in wanted.get("letters", []) if isinstance(n, int))
        return JSONResponse({})

    async def send(self, request: Request) -> Response:
        wanted = await _json(request)
        writer = BY_KEY.get(str(wanted.get("from")))
        if writer is None:
            raise HTTPException(400, "nobody of that name lives here")
        return JSONResponse({"id": (await run_in_threadpool(self._send, writer, wanted)).id})

    def _send(self, writer: Person, wanted: dict[str, Any]) -> DemoMail:
        world, text = self._session.world, str(wanted.get("text", ""))
        subject, mode = str(wanted.get("subject", "")).strip(), str(wanted.get("mode", "new"))
        attached, at = _files(wanted.get("files", [])), world.clock.now()
        if mode == "new":
            to = [str(address).strip().lower() for address in wanted.get("to", [])]
            if not to or not all(map(_lives_here, to)):
                raise HTTPException(400, "this world has only the desk and its four people to write to")
            mail = new_mail(writer, to, subject, text, at, attached)
        else:
            letter = self._letter(wanted.get("letter"))
            if letter.person is not writer:
                raise HTTPException(400, "that letter is in somebody else's mailbox")
            if mode == "away":
                mail = out_of_office(writer, letter, AWAY, at)
            else:
                mail = reply(writer, letter, text, at, attached, everybody=mode == "reply_all", subject=subject)
        try:
            return world.send(writer, mail)
        except smtplib.SMTPException as error:
            raise HTTPException(502, f"the mail server refused it: {error}") from error

    async def clock(self, request: Request) -> Response:
        wanted = await _json(request)
        world = self._session.world
        match wanted:
            case {"speed": int() | float() as speed}:
                await run_in_threadpool(world.set_speed, float(speed))
            case {"jump_hours": int() | float() as hours} if 0 < hours <= 24 * 31:
                await run_in_threadpool(world.jump, timedelta(hours=hours))
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

    def _letter(self, number: object) -> DemoMail:
        letter = self._session.world.letters.get(number) if isinstance(number, int) else None
        if letter is None:
            raise HTTPException(404, "there is no such letter")
        return letter


async def _json(request: Request) -> dict[str, Any]:
    """The request's JSON object, of a bounded size."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST_BODY:
            raise HTTPException(413, "that is more than one mail can carry here")
    try:
        wanted = json.loads(body or b"{}")
    except ValueError as error:
        raise HTTPException(400, "that is no JSON") from error
    if not isinstance(wanted, dict):
        raise HTTPException(400, "that is no JSON object")
    return wanted


def _files(wanted: object) -> list[File]:
    """Attachments: [{"name": …, "content": base64}]."""
    found = []
    for file in wanted if isinstance(wanted, list) else []:
        try:
            name = str(file["name"]).replace("/", "_").replace("\\", "_")
            found.append(File(name, base64.b64decode(file["content"], validate=True)))
        except (KeyError, TypeError, binascii.Error) as error:
            raise HTTPException(400, "an attachment can't be read") from error
    return found


def _lives_here(address: str) -> bool:
    return is_desk(address) or any(person.email == address for person in BY_KEY.values())
