"""An asyncio server in a thread of its own, so that blocking code can start, call and stop it.

In: `opening` and `closing` of a subclass. Out: `start`, `stop`, and `call` for other threads.
Never: a server outside 127.0.0.1.
"""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

HOST = "127.0.0.1"
# Timeout of starting, stopping, and a call from another thread, seconds.
TIMEOUT = 30.0

Result = TypeVar("Result")


class BackgroundServer(ABC):
    """A server with its own event loop. `port` 0: a free one, known after `start`."""

    def __init__(self, name: str, port: int = 0) -> None:
        self.port = port
        self._name = name
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._thread: threading.Thread | None = None

    @abstractmethod
    async def opening(self) -> asyncio.Server:
        """Return the listening server, on HOST and `port`."""

    @abstractmethod
    async def closing(self) -> None:
        """Close the open connections; the server no longer listens."""

    def start(self) -> None:
        """Listen. Raises OSError if the port is in use."""
        started: Future[None] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run(started)), name=self._name, daemon=True)
        self._thread.start()
        started.result(TIMEOUT)

    def stop(self) -> None:
        """Close every connection and end the thread. Safe to call twice."""
        loop, stopping, thread = self._loop, self._stopping, self._thread
        self._loop = self._stopping = self._thread = None
        if loop is not None and stopping is not None and thread is not None:
            loop.call_soon_threadsafe(stopping.set)
            thread.join(TIMEOUT)

    def call(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run `work` in the server's loop and wait for its result; to be called from another thread."""
        if self._loop is None:
            work.close()
            raise RuntimeError(f"{self._name} is not running")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(TIMEOUT)

    async def _run(self, started: Future[None]) -> None:
        stopping = asyncio.Event()
        try:
            server = await self.opening()
        except OSError as error:
            started.set_exception(error)
            return
        self.port = server.sockets[0].getsockname()[1]
        self._loop, self._stopping = asyncio.get_running_loop(), stopping
        started.set_result(None)
        await stopping.wait()
        server.close()
        await self.closing()
