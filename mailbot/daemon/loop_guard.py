"""TODO."""

from __future__ import annotations

import random

FIRST_RETRY, LONGEST_RETRY = 0.5, 30.0


def retry_delay(failures: int, longest: float = LONGEST_RETRY) -> float:
    """Seconds to wait after so many failures in a row: doubling from 0.5 to `longest`, less up to a quarter."""
    delay: float = min(FIRST_RETRY * 2 ** min(failures, 10), longest)
    return delay * random.uniform(0.75, 1.0)  # noqa: S311 - jitter


def _unexpected(error: Exception) -> str:
    """A fault that has no words of its own."""
    return f"an unexpected fault, tried again and again: {type(error).__name__}: {error}"
