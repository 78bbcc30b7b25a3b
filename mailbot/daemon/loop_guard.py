"""Error handling of a loop that must not end: every failure is logged when it begins and when it is over.

In: one step of a loop, as the body of a `with`. Out: `error`, for the loop's own state and its pause. A TemporaryError
is a failure of the database, which all loops report together; any other exception is a bug, logged once with its
traceback.
Never: an exception that ends a thread (KeyboardInterrupt and SystemExit do); a wait.
"""

from __future__ import annotations

import logging
import random
from types import TracebackType

from mailbot.errors import TemporaryError
from mailbot.runtime.clock import SystemClock
from mailbot.runtime.logs import Outage, SharedOutage

FIRST_RETRY, LONGEST_RETRY = 0.5, 30.0


def retry_delay(failures: int, longest: float = LONGEST_RETRY) -> float:
    """Return the seconds to wait after so many failures in a row: doubling up to `longest`, less up to a quarter."""
    delay: float = min(FIRST_RETRY * 2 ** min(failures, 10), longest)
    return delay * random.uniform(0.75, 1.0)  # noqa: S311 - jitter


class LoopGuard:
    """Catches what a step of a loop raises; `works` records that a step succeeded. One thread uses it.

    ::

        while not stopping.is_set():
            with guard:
                do_work()
                guard.works()
            if guard.error is not None:
                stopping.wait(1.0)
    """

    def __init__(self, log: logging.Logger, name: str, storage: SharedOutage) -> None:
        self.name = name
        self.error: Exception | None = None  #: What the last step raised.
        self._storage = storage
        self._unexpected = Outage(log, name, SystemClock())

    def works(self) -> None:
        """Record that a step succeeded: the database answers, and no bug shows any more."""
        self._storage.works(self.name)
        self._unexpected.recovered()

    def __enter__(self) -> LoopGuard:
        self.error = None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        self.error = error
        if isinstance(error, TemporaryError):
            self._storage.failed(self.name, str(error))
        else:
            words = f"unexpected error, retrying: {type(error).__name__}: {error}"
            self._unexpected.failed(words, level=logging.ERROR, traceback=True)
        return True
