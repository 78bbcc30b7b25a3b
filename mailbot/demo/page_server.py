"""The page's web server: uvicorn in a thread, on a socket of 127.0.0.1 that is bound before.

In: a `Session` and a port. Out: an address. Never: handles signals, which belong to the process's main thread.
"""

from __future__ import annotations

import socket
import threading

import uvicorn

from mailbot.demo.background_server import HOST
from mailbot.demo.page import make_app
from mailbot.demo.session import Session

# How long a running request may delay the shutdown, seconds.
GRACE = 1


class PageServer:
    """Serves the page. `port` 0 is any free port; so is a port that is in use (`port` then says which)."""

    def __init__(self, session: Session, port: int = 0) -> None:
        self._session = session
        self._socket = _listener(port)
        self.port: int = self._socket.getsockname()[1]
        app = make_app(session, lambda: self.port)
        self._server = uvicorn.Server(
            uvicorn.Config(app, log_level="error", access_log=False, lifespan="off", timeout_graceful_shutdown=GRACE)
        )
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="demo-page", daemon=True
        )

    @property
    def address(self) -> str:
        """The URL of the page."""
        return f"http://{HOST}:{self.port}/"

    def start(self) -> None:
        """Start serving. Requests that come before it is ready wait in the socket."""
        self._thread.start()

    def is_alive(self) -> bool:
        """Whether it is still serving."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Stop serving, and end open event streams."""
        self._session.end_streams()
        self._server.should_exit = True
        self._thread.join(GRACE + 5)
        self._socket.close()


def _listener(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError:
        listener.bind((HOST, 0))
    listener.listen(128)
    return listener
