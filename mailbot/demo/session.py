"""What the page works on: one simulation, the tour in it, and a restart of both.

In: requests of the page. Out: the state as JSON-ready values. Shared by the page's threads. Never: HTTP.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from mailbot.demo.mails import ChangeNotifier, DemoMail, threads
from mailbot.demo.people import DESK_ADDRESS, DESK_NAME, PEOPLE
from mailbot.demo.simulation import Simulation
from mailbot.demo.tour import FAST_FORWARD_SECONDS, StepFailed, TourRun, play, steps
from mailbot.vocabulary.labels import STATUSES
from mailbot.vocabulary.quoting import MARKER_LINES

log = logging.getLogger(__name__)

SNIPPET = 140
# How often the desk is polled for changes while somebody watches, real seconds.
POLL_SECONDS = 0.3


class Tour:
    """The progress of the tour."""

    def __init__(self, simulation: Simulation, fast_forward_seconds: float) -> None:
        self.run = TourRun(simulation, fast_forward_seconds)
        self.done = 0  # steps that have succeeded
        self.running = False
        self.failure = ""  # why the last step failed
        self._lock = threading.Lock()
        self._changes = simulation.changes

    def next(self) -> bool:
        """Start the next step in a thread; False if one is running or all are done."""
        with self._lock:
            if self.running or self.done >= len(steps()):
                return False
            self.running, self.failure = True, ""
        threading.Thread(target=self._play, name="demo-tour", daemon=True).start()
        self._changes.notify()
        return True

    def _play(self) -> None:
        try:
            play(self.run, steps()[self.done])
            self.done += 1
        except StepFailed as failure:
            self.failure = str(failure)
        except Exception as error:
            log.exception("a step of the tour failed")
            self.failure = f"{type(error).__name__}: {error}"
        finally:
            self.running = False
            self._changes.notify()

    def state(self) -> dict[str, Any]:
        """Return the progress for the page."""
        focus = self.run.focus
        return {
            "done": self.done,
            "running": self.running,
            "failure": self.failure,
            "focus": {"person": focus.person.key, "letter": focus.id} if focus else None,
            "ticket": self.run.follow_up or self.run.number,
        }


class Session:
    """The page's simulation; `changes` is notified when the state has changed."""

    def __init__(self, simulation: Simulation, fast_forward_seconds: float = FAST_FORWARD_SECONDS) -> None:
        self.changes = ChangeNotifier()
        self.is_over = False
        self._fast_forward_seconds = fast_forward_seconds
        self._lock = threading.Lock()
        self._use(simulation)

    def _use(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.tour = Tour(simulation, self._fast_forward_seconds)
        self._seen: object = None
        self._unlisten: Callable[[], None] = simulation.changes.listen(self.changes.notify)

    def restart(self) -> None:
        """Replace the simulation by a new one, its clock at real time."""
        with self._lock:
            old = self.simulation
            self._unlisten()
            new = Simulation(1.0)
            new.start()
            self._use(new)
        self.changes.notify()
        old.stop()

    def end_streams(self) -> None:
        """Make the event streams end."""
        self.is_over = True
        self.changes.notify()

    def stop(self) -> None:
        """Stop the simulation."""
        self.simulation.stop()

    def poll_desk(self) -> None:
        """Notify if something has changed on the desk, which does not notify by itself."""
        simulation = self.simulation
        now = (simulation.tickets(), simulation.folders())
        if now != self._seen:
            self._seen = now
            self.changes.notify()

    def state(self) -> dict[str, Any]:
        """Return everything that the page shows except the text of mail."""
        simulation, mailboxes = self.simulation, self.simulation.mailboxes
        boxes = {
            person.key: [_thread(group, mailboxes.is_read) for group in threads(mailboxes.of(person))]
            for person in PEOPLE
        }
        return {
            "revision": self.changes.revision,
            "desk": {"name": DESK_NAME, "address": DESK_ADDRESS},
            "clock": {"now": simulation.clock.now().isoformat(), "speed": simulation.clock.speed},
            "people": [
                {"key": p.key, "name": p.name, "email": p.email, "agent": p.agent, "signature": p.signature}
                for p in PEOPLE
            ],
            "boxes": boxes,
            "tickets": [ticket_view(ticket) for ticket in simulation.tickets()],
            "folders": simulation.folders(),
            "tour": self.tour.state(),
        }


def ticket_view(ticket: dict[str, Any]) -> dict[str, Any]:
    """Return a ticket with its status in words and its agent's name."""
    names = {person.email: person.name for person in PEOPLE}
    return {
        **ticket,
        "status_words": {language: words[ticket["status"]] for language, words in STATUSES.items()},
        "agent_name": names.get(ticket["agent"] or "", ticket["agent"] or ""),
        "requester_name": names.get(ticket["requester"]["email"], ticket["requester"]["name"]),
    }


def mail_line(mail: DemoMail, is_read: bool) -> dict[str, Any]:
    """Return a mail as a list shows it."""
    message = mail.message
    author = message.from_address
    return {
        "id": mail.id,
        "sent": mail.sent,
        "kind": mail.kind,
        "ticket": mail.ticket,
        "automatic": message.headers.get("Auto-Submitted", "no").strip().lower() != "no",
        "subject": message.subject,
        "from": {"name": author.name or author.email, "email": author.email},
        "to": [{"name": a.name or a.email, "email": a.email} for a in (*message.to, *message.cc)],
        "at": mail.at.isoformat(),
        "snippet": _snippet(message.text),
        "files": len(message.attachments),
        "read": is_read,
    }


def _snippet(text: str) -> str:
    """Return the first words, without the line that asks to reply above it."""
    words = " ".join(text.split())
    for marker in MARKER_LINES:
        words = words.removeprefix(marker).lstrip()
    return words[:SNIPPET]


def _thread(group: list[DemoMail], is_read: Callable[[DemoMail], bool]) -> dict[str, Any]:
    return {"id": group[0].id, "letters": [mail_line(mail, is_read(mail)) for mail in group]}
