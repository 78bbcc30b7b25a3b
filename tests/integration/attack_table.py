"""The table of attacks: name, what it tries, what must come of it. `docs/operator/security.md` shows the same table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mailbot.desk.helpdesk import Ingested
from tests.support.arena import Arena

HELD = "held: the agent is asked at their known address, nothing is carried out"
OWN = "a ticket of the sender's own, in which nothing of another's stands"
QUARANTINED = "quarantined, nothing else"
NOTHING = "on record, nothing else happens"
WORDS = "the words are added, as the requester's; nothing is read, nobody gains access, nothing closed"
MARKED = "the words are added, marked as written from elsewhere; nothing is sent back"
RECORDED = "on the ticket's record as an automatic reply; status, timers and people stay, nothing is sent"
DUPLICATE = "known already: not handled again"
REFUSED = "refused before anything is made of it"
TOLD = "an agent is told; the ticket stays as it is and is not closed by itself"


@dataclass(frozen=True)
class Attack:
    """One row. `mount` does it and gives back what became of the last mail."""

    name: str
    tries: str
    outcome: str
    mount: Callable[[Arena], Ingested | None]
    settings: Mapping[str, Any] = field(default_factory=dict)


ATTACKS: list[Attack] = []


def attack(
    name: str, tries: str, outcome: str, *, settings: Mapping[str, Any] | None = None
) -> Callable[[Callable[[Arena], Ingested | None]], Callable[[Arena], Ingested | None]]:
    """Put a function into the table."""

    def enter(mount: Callable[[Arena], Ingested | None]) -> Callable[[Arena], Ingested | None]:
        ATTACKS.append(Attack(name, tries, outcome, mount, settings or {}))
        return mount

    return enter
