"""What the page works on: one world, the tour in it, and a fresh start of both.

In: the page's wishes. Out: the state as JSON-ready values. Threads of the page share it. No HTTP here.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from mailbot.demo.mails import Bell, DemoMail, threads
from mailbot.demo.people import DESK_ADDRESS, DESK_NAME, PEOPLE
from mailbot.demo.simulation import World
from mailbot.demo.tour import STRETCH, Stage, StepFailed, play, steps
from mailbot.vocabulary.labels import STATUSES
from mailbot.vocabulary.quoting import MARKER_LINES

log = logging.getLogger(__name__)

SNIPPET = 140
# How often the desk's side is looked at for changes while somebody watches, real seconds.
LOOK = 0.3


class Tour:
    """Where the tour stands. `done` counts steps that happened; `failure` says why the last one did not."""

    def __init__(self, world: World, stretch: float) -> None:
        self.stage = Stage(world, stretch)
        self.done = 0
        self.running = False
        self.failure = ""
        self._lock = threading.Lock()
        self._bell = world.bell

    def next(self) -> bool:
        """Do the next step, in a thread; False where one runs already or none is left."""
        with self._lock:
            if self.running or self.done >= len(steps()):
                return False
            self.running, self.failure = True, ""
        threading.Thread(target=self._play, name="demo-tour", daemon=True).start()
        self._bell.ring()
        return True

    def _play(self) -> None:
        try:
            play(self.stage, steps()[self.done])
            self.done += 1
        except StepFailed as failure:
            self.failure = str(failure)
        except Exception as error:
            log.exception("the tour's step failed")
            self.failure = f"{type(error).__name__}: {error}"
        finally:
            self.running = False
            self._bell.ring()

    def state(self) -> dict[str, Any]:
        """For the page."""
        focus = self.stage.focus
        return {
            "done": self.done,
            "running": self.running,
            "failure": self.failure,
            "focus": {"person": focus.person.key, "letter": focus.id} if focus else None,
            "ticket": self.stage.follow_up or self.stage.number,
        }


class Session:
    """The page's world. `bell` rings when it is worth looking again. `stretch`: see `tour.STRETCH`."""

    def __init__(self, world: World, stretch: float = STRETCH) -> None:
        self.bell = Bell()
        self.is_over = False
        self._stretch = stretch
        self._lock = threading.Lock()
        self._take(world)

    def _take(self, world: World) -> None:
        self.world = world
        self.tour = Tour(world, self._stretch)
        self._seen: object = None
        self._unlisten: Callable[[], None] = world.bell.listen(self.bell.ring)

    def restart(self) -> None:
        """Another world in the place of this one, its clock at real time."""
        with self._lock:
            old = self.world
            self._unlisten()
            fresh = World(1.0)
            fresh.start()
            self._take(fresh)
        self.bell.ring()
        old.stop()

    def let_go(self) -> None:
        """The end is near: whoever listens to the bell shall stop."""
        self.is_over = True
        self.bell.ring()

    def stop(self) -> None:
        """End the world."""
        self.world.stop()

    def look(self) -> None:
        """Ring if something changed on the desk's side, which has no bell."""
        world = self.world
        now = (world.tickets(), world.folders())
        if now != self._seen:
            self._seen = now
            self.bell.ring()

    def state(self) -> dict[str, Any]:
        """Everything that the page shows, but the letters' bodies."""
        world, letters = self.world, self.world.letters
        boxes = {
            person.key: [_thread(group, letters.is_read) for group in threads(letters.of(person))] for person in PEOPLE
        }
        return {
            "revision": self.bell.revision,
            "desk": {"name": DESK_NAME, "address": DESK_ADDRESS},
            "clock": {"now": world.clock.now().isoformat(), "speed": world.clock.speed},
            "people": [
                {"key": p.key, "name": p.name, "email": p.email, "agent": p.agent, "signature": p.signature}
                for p in PEOPLE
            ],
            "boxes": boxes,
            "tickets": [ticket_view(ticket) for ticket in world.tickets()],
            "folders": world.folders(),
            "tour": self.tour.state(),
        }


def ticket_view(ticket: dict[str, Any]) -> dict[str, Any]:
    """A ticket with its status in words and its agent's name."""
    names = {person.email: person.name for person in PEOPLE}
    return {
        **ticket,
        "status_words": {language: words[ticket["status"]] for language, words in STATUSES.items()},
        "agent_name": names.get(ticket["agent"] or "", ticket["agent"] or ""),
        "requester_name": names.get(ticket["requester"]["email"], ticket["requester"]["name"]),
    }


def letter_line(letter: DemoMail, is_read: bool) -> dict[str, Any]:
    """A letter as a list shows it."""
    mail = letter.mail
    author = mail.from_address
    return {
        "id": letter.id,
        "sent": letter.sent,
        "kind": letter.kind,
        "ticket": letter.ticket,
        "automatic": mail.headers.get("Auto-Submitted", "no").strip().lower() != "no",
        "subject": mail.subject,
        "from": {"name": author.name or author.email, "email": author.email},
        "to": [{"name": a.name or a.email, "email": a.email} for a in (*mail.to, *mail.cc)],
        "at": letter.at.isoformat(),
        "snippet": _snippet(mail.text),
        "files": len(mail.attachments),
        "read": is_read,
    }


def _snippet(text: str) -> str:
    """The first words, without the line that asks to write above it."""
    words = " ".join(text.split())
    for marker in MARKER_LINES:
        words = words.removeprefix(marker).lstrip()
    return words[:SNIPPET]


def _thread(group: list[DemoMail], is_read: Callable[[DemoMail], bool]) -> dict[str, Any]:
    return {"id": group[0].id, "letters": [letter_line(letter, is_read(letter)) for letter in group]}
