"""Runs the pages: uvicorn in a thread, stopped with the daemon."""

from __future__ import annotations

import logging
import threading

from mailbot.desk.wiring import Desk
from mailbot.web.pages import make_app

log = logging.getLogger(__name__)


class WebServer:
    """The pages of one desk on one address."""

    def __init__(self, desk: Desk, host: str, port: int) -> None:
        import uvicorn

        config = uvicorn.Config(
            make_app(desk), host=host, port=port, log_level="warning", access_log=False, server_header=False,
            timeout_graceful_shutdown=3, limit_concurrency=100,
        )  # fmt: skip
        self._where = f"{host}:{port}"
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)

    def start(self) -> None:
        """Start to listen; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after the running requests."""
        self._server.should_exit = True
        self._thread.join(5)

    def _run(self) -> None:
        try:
            self._server.run()
        except SystemExit:  # raised by uvicorn if it can't listen
            log.error(
                "the pages can't be served on %s ([web] listen): is the address in use? Mail goes on", self._where
            )
