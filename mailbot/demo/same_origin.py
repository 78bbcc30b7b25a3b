"""Rejects requests to the demo's page that come from other web sites.

A server on 127.0.0.1 can be reached by every web site that this machine's browser shows. In: each request. Out: the
request passed on, or 403 with the reason.
- Host must be this server's own (not another name that resolves to 127.0.0.1, "DNS rebinding").
- A changing request must be JSON with this page's Origin (RFC 6454 §7.3): no foreign form or script can send that.
- A reading request must not come from another site (Fetch Metadata, `Sec-Fetch-Site`), except a link to the page.
Each response has a policy that forbids loading anything from outside, and framing the page.
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


class SameOriginOnly:
    """ASGI middleware. `port()` is the port of the page."""

    def __init__(self, app: ASGIApp, port: Callable[[], int]) -> None:
        self._app = app
        self._port = port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or reject it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        reason = self._rejection(scope["method"], scope["path"], Headers(scope=scope))
        if reason:
            await PlainTextResponse(f"Rejected: {reason}\n", 403, HEADERS)(scope, receive, send)
            return

        async def protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Content-Security-Policy", POLICY)
            await send(message)

        await self._app(scope, receive, protected)

    def _rejection(self, method: str, path: str, headers: Headers) -> str:
        """Return why this request is rejected; "" if it is accepted."""
        hosts = [f"{name}:{self._port()}" for name in ("127.0.0.1", "localhost")]
        if headers.get("host", "").lower() not in hosts:
            return "this page is served for 127.0.0.1 and localhost only"
        if method not in ("GET", "HEAD"):
            if headers.get("origin", "").lower() not in [f"http://{host}" for host in hosts]:
                return "this did not come from the demo's own page"
            if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
                return "only JSON is accepted"
            return ""
        link = path == "/" and headers.get("sec-fetch-mode") == "navigate"
        if headers.get("sec-fetch-site", "none") not in ("same-origin", "none") and not link:
            return "another web site asked for this"
        return ""
