"""The guided tour: a ticket's whole life in twelve steps, played with real mail in the demo's simulation.

In: a running `Simulation`. Out: each step done and its mails found, or `StepFailed` with the reason. The page and the
terminal play the same steps; their texts are in story.toml. A step does what a person would do (write, reply, wait) and
then checks the rules of docs/developer/rules.md. Never: a rule of the desk; output.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

from mailbot.demo.mail_client import Draft, File, new_mail, out_of_office, reply
from mailbot.demo.mails import DemoMail
from mailbot.demo.people import BUDI, DESK_ADDRESS, SALLY, SDN1, SMPN3, Person
from mailbot.demo.sample_screenshot import screenshot
from mailbot.demo.simulation import Simulation

# Timeout for a mail to pass through the whole desk, real seconds; it takes about a tenth of one.
TIMEOUT = 60.0
# How long to check that no mail comes, real seconds, after everything was received.
QUIET = 0.7
# Real seconds of a fast-forward to the next reminder: "6 jam → 6 detik".
FAST_FORWARD_SECONDS = 6.0


class StepFailed(Exception):
    """A step of the tour failed; the text says what was missing."""


@dataclass(frozen=True, slots=True)
class StepText:
    """A step's text in one language."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step."""

    key: str
    act: Callable[[TourRun], None]
    words: dict[str, StepText]  # by language: "id", "en"


class TourRun:
    """One run of the tour: its state between the steps, and the actions that steps are made of."""

    def __init__(
        self, simulation: Simulation, fast_forward_seconds: float = FAST_FORWARD_SECONDS, timeout: float = TIMEOUT
    ) -> None:
        self.simulation = simulation
        self.fast_forward_seconds = fast_forward_seconds
        self.timeout = timeout
        self.number = 0  # of the ticket
        self.follow_up = 0  # number of the follow-up ticket
        self.last: dict[str, DemoMail] = {}  # the last mail by "person:kind"
        self.focus: DemoMail | None = None  # the mail that the page shows after the step
        self._mark = 0  # the last mail before the step

    def begin(self) -> None:
        """Start a step: only mail from now on counts."""
        self._mark = len(self.simulation.mailboxes.all())
        self.focus = None

    def write(self, writer: Person, subject: str, text: str, files: tuple[File, ...] = ()) -> None:
        """Send a new mail to the desk."""
        draft = Draft(writer, text, self.simulation.clock.now(), files, subject)
        self.focus = self.simulation.send(writer, new_mail(draft, [DESK_ADDRESS]))

    def reply(self, mail: DemoMail, text: str) -> None:
        """Reply to the mail, as the owner of its mailbox."""
        draft = Draft(mail.person, text, self.simulation.clock.now())
        self.focus = self.simulation.send(mail.person, reply(draft, mail))

    def expect(self, person: Person, kind: str, ticket: int = 0) -> DemoMail:
        """Wait for a mail of that kind in that person's mailbox, and focus it."""
        found: list[DemoMail] = []

        def arrived() -> bool:
            found[:] = [
                mail
                for mail in self.simulation.mailboxes.of(person)
                if mail.id > self._mark
                and not mail.sent
                and mail.kind == kind
                and (not ticket or mail.ticket == ticket)
            ]
            return bool(found)

        about = f" about ticket #{ticket}" if ticket else ""
        if not self.simulation.changes.wait_for(arrived, self.timeout):
            raise StepFailed(f"no mail of kind “{kind}”{about} came to {person.name} within {self.timeout:g} s")
        self.last[f"{person.key}:{kind}"] = self.focus = found[-1]
        return found[-1]

    def ensure(self, condition: Callable[[], bool], otherwise: str) -> None:
        """Wait until the condition is true; raise StepFailed(otherwise) if it never is."""
        if not self.simulation.changes.wait_for(condition, self.timeout, recheck=0.05):
            raise StepFailed(otherwise)

    def ensure_status(self, number: int, status: str) -> None:
        """Wait until the ticket has that status."""
        self.ensure(lambda: self.ticket(number)["status"] == status, f"ticket #{number} is not “{status}”")

    def ensure_nothing_comes(self, person: Person) -> None:
        """Check that this person gets no mail in answer to what was sent in this step."""

        def received() -> bool:
            return any(not x.sent and x.id > self._mark for x in self.simulation.mailboxes.of(person))

        if self.simulation.changes.wait_for(received, QUIET):
            raise StepFailed(f"{person.name} got a mail where none was due")

    def ticket(self, number: int) -> dict[str, Any]:
        """Return the ticket's JSON."""
        found = self.simulation.ticket(number)
        if found is None:
            raise StepFailed(f"there is no ticket #{number}")
        return found

    def fast_forward(self, person: Person, kind: str) -> DemoMail:
        """Run the clock to the ticket's next deadline; wait for the mail that must come of it."""
        timer = self.ticket(self.number)["next_timer"]
        if timer is None:
            raise StepFailed(f"no timer of ticket #{self.number} runs")
        clock, before = self.simulation.clock, self.simulation.clock.speed
        due = datetime.fromisoformat(timer["at"])
        self.simulation.set_speed(max((due - clock.now()).total_seconds() / self.fast_forward_seconds, 1.0))
        try:
            self.simulation.changes.wait_for(
                lambda: clock.now() >= due, self.fast_forward_seconds + self.timeout, recheck=0.02
            )
        finally:
            self.simulation.set_speed(before)
        return self.expect(person, kind, self.number)


def _report(run: TourRun) -> None:
    mail = _mail("report")
    run.write(SDN1, mail["subject"], mail["text"], (File(mail["file"], screenshot()),))
    run.number = run.expect(SDN1, "acknowledgement").ticket
    for agent in (BUDI, SALLY):
        note = run.expect(agent, "notification", run.number)
        if not any(file.name == mail["file"] for file in note.message.attachments):
            raise StepFailed(f"the attachment {mail['file']} did not reach {agent.name}")
    run.focus = run.last["sdn1:acknowledgement"]
    run.ensure_status(run.number, "queued")


def _answer(run: TourRun) -> None:
    run.reply(run.last["sally:notification"], _mail("answer")["text"])
    answer = run.expect(SDN1, "answer", run.number)
    if answer.message.from_address.name != "Sally (BOSP)":
        raise StepFailed(f"the answer came from “{answer.message.from_address.name}”, not from “Sally (BOSP)”")
    run.ensure_status(run.number, "waiting")


def _reply(run: TourRun) -> None:
    run.reply(run.last["sdn1:answer"], _mail("reply")["text"])
    run.expect(SALLY, "notification", run.number)
    run.ensure_status(run.number, "in_progress")
    said = [m["text"] for m in run.ticket(run.number)["messages"] if m["author_role"] == "requester"][-1]
    if said.split() != _mail("reply")["text"].split():
        raise StepFailed(f"the reply's new words are not alone: “{said}”")


def _ask(run: TourRun) -> None:
    run.reply(run.last["sally:notification"], _mail("ask")["text"])
    run.expect(SDN1, "answer", run.number)
    run.ensure_status(run.number, "waiting")
    run.ensure(lambda: run.ticket(run.number)["next_timer"] is not None, f"no timer of ticket #{run.number} runs")


def _away(run: TourRun) -> None:
    answer, now = run.last["sdn1:answer"], run.simulation.clock.now()
    run.focus = run.simulation.send(SDN1, out_of_office(Draft(SDN1, _mail("away")["text"], now), answer))
    run.ensure(
        lambda: any(m["kind"] == "auto_reply" for m in run.ticket(run.number)["messages"]),
        "the automatic reply was not recorded on its ticket",
    )
    run.ensure_nothing_comes(SDN1)
    run.ensure_status(run.number, "waiting")


def _reminder_1(run: TourRun) -> None:
    run.fast_forward(SDN1, "reminder")


def _reminder_2(run: TourRun) -> None:
    run.fast_forward(SDN1, "reminder")


def _closure(run: TourRun) -> None:
    closure = run.fast_forward(SDN1, "closure")
    if "Kendala masih terjadi" not in closure.message.text:
        raise StepFailed("the closure notice does not name the words “Kendala masih terjadi”")
    run.ensure_status(run.number, "closed")


def _still(run: TourRun) -> None:
    run.reply(run.last["sdn1:closure"], _mail("still")["text"])
    acknowledgement = run.expect(SDN1, "acknowledgement")
    run.follow_up = acknowledgement.ticket
    if run.follow_up == run.number or str(run.number) not in acknowledgement.message.text:
        raise StepFailed(f"the acknowledgement does not name a new number beside #{run.number}")
    run.expect(SALLY, "notification", run.follow_up)
    run.focus = acknowledgement
    if run.ticket(run.follow_up)["follow_up_of"] != run.number:
        raise StepFailed(f"ticket #{run.follow_up} is not linked with #{run.number}")


def _status(run: TourRun) -> None:
    subject, text = f"STATUS #{run.follow_up}", _mail("status")["text"]
    run.write(SMPN3, subject, text)
    refusal = run.expect(SMPN3, "status")
    if SDN1.email in refusal.message.text or "BKU" in refusal.message.text:
        raise StepFailed("a stranger learnt something about the ticket")
    run.write(SDN1, subject, text)
    status = run.expect(SDN1, "status")
    if SDN1.email not in status.message.text:
        raise StepFailed("the status does not name the requester's address")


def _solved(run: TourRun) -> None:
    run.reply(run.last["sally:notification"], _mail("solved")["text"])
    closure = run.expect(SDN1, "closure", run.follow_up)
    if "perbaiki" not in closure.message.text or "#selesai" in closure.message.text:
        raise StepFailed("the closure notice does not carry the agent's words alone")
    run.ensure_status(run.follow_up, "closed")


def _thanks(run: TourRun) -> None:
    tickets = len(run.simulation.tickets())
    run.reply(run.last["sdn1:closure"], _mail("thanks")["text"])
    sent = run.focus
    run.ensure(
        lambda: any("Terima kasih banyak" in m["text"] for m in run.ticket(run.follow_up)["messages"]),
        f"the thanks were not recorded on ticket #{run.follow_up}",
    )
    run.ensure_nothing_comes(SDN1)
    run.focus = sent
    if len(run.simulation.tickets()) != tickets:
        raise StepFailed("the thanks opened a ticket")
    run.ensure_status(run.follow_up, "closed")


@cache
def _story() -> dict[str, Any]:
    return tomllib.loads(files("mailbot.demo").joinpath("story.toml").read_text("utf-8"))


def _mail(key: str) -> dict[str, str]:
    return {name: text.strip("\n") for name, text in _story()[key]["mail"].items()}


def _step(key: str, act: Callable[[TourRun], None]) -> Step:
    story = _story()[key]
    return Step(key, act, {lang: StepText(story["title"][lang], story["text"][lang]) for lang in ("id", "en")})


@cache
def steps() -> tuple[Step, ...]:
    """Return the steps, in order."""
    return (
        _step("report", _report),
        _step("answer", _answer),
        _step("reply", _reply),
        _step("ask", _ask),
        _step("away", _away),
        _step("reminder_1", _reminder_1),
        _step("reminder_2", _reminder_2),
        _step("closure", _closure),
        _step("still", _still),
        _step("status", _status),
        _step("solved", _solved),
        _step("thanks", _thanks),
    )


def play(run: TourRun, step: Step) -> None:
    """Do one step. Raises StepFailed, also if the desk or the mail server is unavailable."""
    run.begin()
    try:
        step.act(run)
    except KeyError as error:
        raise StepFailed(f"an earlier step is missing ({error.args[0]}): start the tour again") from error
    except OSError as error:
        raise StepFailed(f"the mail server could not be used: {error}") from error
