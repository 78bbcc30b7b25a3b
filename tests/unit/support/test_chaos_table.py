"""The exit code of the table of `make chaos`: each fault is judged by itself."""

from __future__ import annotations

import pytest

from tests.crash.table import is_beyond
from tests.support.chaos_results import Outcome


@pytest.mark.parametrize(
    ("outcomes", "beyond"),
    [
        ([Outcome("a", 1.0), Outcome("b", 1.0, doubled=3, allowed=18)], False),
        ([Outcome("a", 1.0, doubled=1, allowed=1)], False),
        ([Outcome("a", 1.0, lost=1), Outcome("b", 1.0, doubled=3, allowed=18)], True),
        ([Outcome("a", 1.0, doubled=2, allowed=1), Outcome("b", 1.0, doubled=0, allowed=1)], True),
    ],
)
def test_a_lost_mail_or_one_doubled_too_many_fails(outcomes: list[Outcome], *, beyond: bool) -> None:
    assert is_beyond(outcomes) is beyond
