"""Which requests the demo's page accepts."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.responses import PlainTextResponse

from mailbot.demo.same_origin import SameOriginOnly

PORT = 8025
HERE = {"host": "127.0.0.1:8025"}
OWN = HERE | {"origin": "http://127.0.0.1:8025", "content-type": "application/json", "sec-fetch-site": "same-origin"}


def ask(method: str, path: str, headers: dict[str, str]) -> tuple[int, dict[str, str]]:
    """Return status and headers of the response."""
    said: list[Any] = []

    async def send(message: Any) -> None:
        said.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http", "method": method, "path": path, "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip
    asyncio.run(SameOriginOnly(PlainTextResponse("in"), lambda: PORT)(scope, receive, send))
    return said[0]["status"], {name.decode(): value.decode() for name, value in said[0]["headers"]}


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/", HERE),
        ("GET", "/", {"host": "localhost:8025", "sec-fetch-site": "none", "sec-fetch-mode": "navigate"}),
        ("GET", "/", HERE | {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}),  # a link to the page
        ("GET", "/api/state", HERE | {"sec-fetch-site": "same-origin"}),
        ("POST", "/api/send", OWN),
        ("POST", "/api/send", OWN | {"content-type": "application/json; charset=utf-8"}),
    ],
)
def test_requests_of_the_page_itself_are_accepted(method: str, path: str, headers: dict[str, str]) -> None:
    status, sent = ask(method, path, headers)
    assert status == 200
    assert "default-src 'self'" in sent["content-security-policy"]
    assert sent["x-content-type-options"] == "nosniff"
    assert sent["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/", {}),
        ("GET", "/", {"host": "evil.example:8025"}),  # DNS rebinding
        ("GET", "/api/state", {"host": "127.0.0.1:9999"}),
        ("GET", "/api/state", HERE | {"sec-fetch-site": "cross-site"}),
        ("GET", "/api/letters/1/raw", HERE | {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}),
        ("GET", "/api/state", HERE | {"sec-fetch-site": "same-site"}),
        ("POST", "/api/send", HERE | {"content-type": "application/json"}),  # no Origin
        ("POST", "/api/send", OWN | {"origin": "https://evil.example"}),
        ("POST", "/api/send", OWN | {"origin": "http://127.0.0.1:9999"}),
        ("POST", "/api/send", OWN | {"origin": "null"}),
        ("POST", "/api/send", OWN | {"content-type": "text/plain"}),  # what a foreign form can send
        ("DELETE", "/api/send", OWN | {"origin": "https://evil.example"}),
    ],
)
def test_all_others_are_rejected(method: str, path: str, headers: dict[str, str]) -> None:
    assert ask(method, path, headers)[0] == 403
