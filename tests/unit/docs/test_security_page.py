"""docs/operator/security.md shows exactly the attacks that are tried."""

from __future__ import annotations

from pathlib import Path

from tests.integration import (
    attacks_on_sender,
    attacks_on_tickets,
    attacks_on_tokens,
    attacks_under_disguise,
)
from tests.integration.attack_table import ATTACKS

DOCUMENT = Path(__file__).parents[3] / "docs" / "operator" / "security.md"
assert attacks_on_sender and attacks_on_tickets and attacks_on_tokens and attacks_under_disguise  # they fill the table


def test_the_table_is_the_one_that_is_tried() -> None:
    rows = [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert rows == [f"| `{a.name}` | {a.tries} | {a.outcome} |" for a in ATTACKS]
    assert len({a.name for a in ATTACKS}) == len(ATTACKS) >= 60
