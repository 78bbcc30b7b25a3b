"""Who may speak to the demo's page: the browser tab that it opened, nobody else.

A server on 127.0.0.1 can be reached by every web site that this machine's browser shows. In: each request. Out: the
request passed on, or 403 with the reason.
- Host must be this server's own (a foreign name that was pointed at 127.0.0.1, "DNS rebinding", is not).
- What changes something must come as JSON with this page's Origin (RFC 6454 §7.3): no foreign form or script can.
- What is only read must not be fetched by another site (Fetch Metadata, `Sec-Fetch-Site`); a link to the page may.
Each answer carries a policy that lets nothing in from outside and the page be framed by nobody.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Guard:
    """ASGI middleware. `port()` is the port that the page is on."""

    def __init__(self, app: ASGIApp, port: Callable[[], int]) -> None:
        self._app = app
        self._port = port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        reason = self._refusal(scope["method"], scope["path"], Headers(scope=scope))
        if reason:
            await PlainTextResponse(f"Refused: {reason}\n", 403, HEADERS)(scope, receive, send)
            return

        async def protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Content-Security-Policy", POLICY)
            await send(message)

        await self._app(scope, receive, protected)

    def _refusal(self, method: str, path: str, headers: Headers) -> str:
        """Why this request is not let in; "" where it is."""
        hosts = [f"{name}:{self._port()}" for name in ("127.0.0.1", "localhost")]
        if headers.get("host", "").lower() not in hosts:
            return "this page answers to 127.0.0.1 and localhost only"
        if method not in ("GET", "HEAD"):
            if headers.get("origin", "").lower() not in [f"http://{host}" for host in hosts]:
                return "this did not come from the demo's own page"
            if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
                return "only JSON is taken"
            return ""
        link = path == "/" and headers.get("sec-fetch-mode") == "navigate"
        if headers.get("sec-fetch-site", "none") not in ("same-origin", "none") and not link:
            return "another web site asked for this"
        return ""
