"""The guided tour: a ticket's whole life in twelve steps, played by real mails on the demo's world.

In: a running `World`. Out: each step done, its letters found, or `StepFailed` with the reason. The page and the
terminal play the same steps; the words for them stand in story.toml. A step does what a person would do (write, reply,
wait) and then makes sure of what service.md promises. No rule of the desk stands here, and nothing is shown here.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

from mailbot.demo.mail_client import File, new_mail, out_of_office, reply
from mailbot.demo.mails import DemoMail
from mailbot.demo.people import BUDI, DESK_ADDRESS, SALLY, SDN1, SMPN3, Person
from mailbot.demo.sample_screenshot import screenshot
from mailbot.demo.simulation import World

# How long a mail may take through the whole desk, real seconds; it takes about a tenth of one.
PATIENCE = 60.0
# How long "nothing comes" is watched, real seconds, after everything was taken in.
QUIET = 0.7
# Real seconds that the clock takes to the next reminder: "6 jam → 6 detik".
STRETCH = 6.0


class StepFailed(Exception):
    """A step of the tour did not happen; the text says what was missing."""


@dataclass(frozen=True, slots=True)
class Words:
    """One language's words of a step."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `act` does it; `words` are by language ("id", "en")."""

    key: str
    act: Callable[[Stage], None]
    words: dict[str, Words]


class Stage:
    """What the tour remembers between its steps, and the means to act. `stretch`, `patience`: see STRETCH, PATIENCE."""

    def __init__(self, world: World, stretch: float = STRETCH, patience: float = PATIENCE) -> None:
        self.world = world
        self.stretch = stretch
        self.patience = patience
        self.number = 0
        self.follow_up = 0
        self.last: dict[str, DemoMail] = {}
        self.focus: DemoMail | None = None
        self._mark = 0

    def begin(self) -> None:
        """From here on only new letters count."""
        self._mark = len(self.world.letters.all())
        self.focus = None

    def write(self, writer: Person, subject: str, text: str, files: tuple[File, ...] = ()) -> None:
        """A new mail to the desk."""
        mail = new_mail(writer, [DESK_ADDRESS], subject, text, self.world.clock.now(), files)
        self.focus = self.world.send(writer, mail)

    def reply(self, letter: DemoMail, text: str) -> None:
        """The letter's owner replies to it."""
        self.focus = self.world.send(letter.person, reply(letter.person, letter, text, self.world.clock.now()))

    def expect(self, person: Person, kind: str, ticket: int = 0) -> DemoMail:
        """Wait for a mail of that kind in that person's mailbox; it gets the focus."""
        found: list[DemoMail] = []

        def arrived() -> bool:
            found[:] = [
                letter
                for letter in self.world.letters.of(person)
                if letter.id > self._mark
                and not letter.sent
                and letter.kind == kind
                and (not ticket or letter.ticket == ticket)
            ]
            return bool(found)

        about = f" about ticket #{ticket}" if ticket else ""
        if not self.world.bell.wait_for(arrived, self.patience):
            raise StepFailed(f"no mail of kind “{kind}”{about} came to {person.name} within {self.patience:g} s")
        self.last[f"{person.key}:{kind}"] = self.focus = found[-1]
        return found[-1]

    def ensure(self, condition: Callable[[], bool], otherwise: str) -> None:
        """Wait until the condition is true; `otherwise` says what is wrong if it never is."""
        if not self.world.bell.wait_for(condition, self.patience, recheck=0.05):
            raise StepFailed(otherwise)

    def ensure_status(self, number: int, status: str) -> None:
        """The ticket comes to stand there."""
        self.ensure(lambda: self.ticket(number)["status"] == status, f"ticket #{number} is not “{status}”")

    def ensure_nothing_comes(self, person: Person) -> None:
        """Nothing of the desk reaches this person in answer to what was sent in this step."""

        def received() -> bool:
            return any(not x.sent and x.id > self._mark for x in self.world.letters.of(person))

        if self.world.bell.wait_for(received, QUIET):
            raise StepFailed(f"{person.name} got a mail where none was due")

    def ticket(self, number: int) -> dict[str, Any]:
        """The ticket as JSON has it."""
        found = self.world.ticket(number)
        if found is None:
            raise StepFailed(f"there is no ticket #{number}")
        return found

    def hasten(self, person: Person, kind: str) -> DemoMail:
        """Run the clock to the ticket's next deadline in `stretch` real seconds; that mail must come of it."""
        timer = self.ticket(self.number)["next_timer"]
        if timer is None:
            raise StepFailed(f"no timer of ticket #{self.number} runs")
        clock, before = self.world.clock, self.world.clock.speed
        due = datetime.fromisoformat(timer["at"])
        self.world.set_speed(max((due - clock.now()).total_seconds() / self.stretch, 1.0))
        try:
            self.world.bell.wait_for(lambda: clock.now() >= due, self.stretch + self.patience, recheck=0.02)
        finally:
            self.world.set_speed(before)
        return self.expect(person, kind, self.number)


def _report(stage: Stage) -> None:
    mail = _mail("report")
    stage.write(SDN1, mail["subject"], mail["text"], (File(mail["file"], screenshot()),))
    stage.number = stage.expect(SDN1, "acknowledgement").ticket
    for agent in (BUDI, SALLY):
        note = stage.expect(agent, "notification", stage.number)
        if not any(file.name == mail["file"] for file in note.mail.attachments):
            raise StepFailed(f"the attachment {mail['file']} did not reach {agent.name}")
    stage.focus = stage.last["sdn1:acknowledgement"]
    stage.ensure_status(stage.number, "queued")


def _answer(stage: Stage) -> None:
    stage.reply(stage.last["sally:notification"], _mail("answer")["text"])
    answer = stage.expect(SDN1, "answer", stage.number)
    if answer.mail.from_address.name != "Sally (BOSP)":
        raise StepFailed(f"the answer came from “{answer.mail.from_address.name}”, not from “Sally (BOSP)”")
    stage.ensure_status(stage.number, "waiting")


def _reply(stage: Stage) -> None:
    stage.reply(stage.last["sdn1:answer"], _mail("reply")["text"])
    stage.expect(SALLY, "notification", stage.number)
    stage.ensure_status(stage.number, "in_progress")
    said = [m["text"] for m in stage.ticket(stage.number)["messages"] if m["author_role"] == "requester"][-1]
    if said.split() != _mail("reply")["text"].split():
        raise StepFailed(f"the reply's new words are not alone: “{said}”")


def _ask(stage: Stage) -> None:
    stage.reply(stage.last["sally:notification"], _mail("ask")["text"])
    stage.expect(SDN1, "answer", stage.number)
    stage.ensure_status(stage.number, "waiting")
    stage.ensure(
        lambda: stage.ticket(stage.number)["next_timer"] is not None, f"no timer of ticket #{stage.number} runs"
    )


def _away(stage: Stage) -> None:
    answer, now = stage.last["sdn1:answer"], stage.world.clock.now()
    stage.focus = stage.world.send(SDN1, out_of_office(SDN1, answer, _mail("away")["text"], now))
    stage.ensure(
        lambda: any(m["kind"] == "auto_reply" for m in stage.ticket(stage.number)["messages"]),
        "the automatic reply was not recorded on its ticket",
    )
    stage.ensure_nothing_comes(SDN1)
    stage.ensure_status(stage.number, "waiting")


def _reminder_1(stage: Stage) -> None:
    stage.hasten(SDN1, "reminder")


def _reminder_2(stage: Stage) -> None:
    stage.hasten(SDN1, "reminder")


def _closure(stage: Stage) -> None:
    closure = stage.hasten(SDN1, "closure")
    if "Kendala masih terjadi" not in closure.mail.text:
        raise StepFailed("the closure notice does not name the words “Kendala masih terjadi”")
    stage.ensure_status(stage.number, "closed")


def _still(stage: Stage) -> None:
    stage.reply(stage.last["sdn1:closure"], _mail("still")["text"])
    acknowledgement = stage.expect(SDN1, "acknowledgement")
    stage.follow_up = acknowledgement.ticket
    if stage.follow_up == stage.number or str(stage.number) not in acknowledgement.mail.text:
        raise StepFailed(f"the acknowledgement does not name a new number beside #{stage.number}")
    stage.expect(SALLY, "notification", stage.follow_up)
    stage.focus = acknowledgement
    if stage.ticket(stage.follow_up)["follow_up_of"] != stage.number:
        raise StepFailed(f"ticket #{stage.follow_up} is not linked with #{stage.number}")


def _status(stage: Stage) -> None:
    subject, text = f"STATUS #{stage.follow_up}", _mail("status")["text"]
    stage.write(SMPN3, subject, text)
    refusal = stage.expect(SMPN3, "status")
    if SDN1.email in refusal.mail.text or "BKU" in refusal.mail.text:
        raise StepFailed("a stranger learnt something about the ticket")
    stage.write(SDN1, subject, text)
    status = stage.expect(SDN1, "status")
    if SDN1.email not in status.mail.text:
        raise StepFailed("the status does not name the requester's address")


def _solved(stage: Stage) -> None:
    stage.reply(stage.last["sally:notification"], _mail("solved")["text"])
    closure = stage.expect(SDN1, "closure", stage.follow_up)
    if "perbaiki" not in closure.mail.text or "#selesai" in closure.mail.text:
        raise StepFailed("the closure notice does not carry the agent's words alone")
    stage.ensure_status(stage.follow_up, "closed")


def _thanks(stage: Stage) -> None:
    tickets = len(stage.world.tickets())
    stage.reply(stage.last["sdn1:closure"], _mail("thanks")["text"])
    sent = stage.focus
    stage.ensure(
        lambda: any("Terima kasih banyak" in m["text"] for m in stage.ticket(stage.follow_up)["messages"]),
        f"the thanks were not recorded on ticket #{stage.follow_up}",
    )
    stage.ensure_nothing_comes(SDN1)
    stage.focus = sent
    if len(stage.world.tickets()) != tickets:
        raise StepFailed("the thanks opened a ticket")
    stage.ensure_status(stage.follow_up, "closed")


@cache
def _story() -> dict[str, Any]:
    return tomllib.loads(files("mailbot.demo").joinpath("story.toml").read_text("utf-8"))


def _mail(key: str) -> dict[str, str]:
    return {name: text.strip("\n") for name, text in _story()[key]["mail"].items()}


def _step(key: str, act: Callable[[Stage], None]) -> Step:
    story = _story()[key]
    return Step(key, act, {lang: Words(story["title"][lang], story["text"][lang]) for lang in ("id", "en")})


@cache
def steps() -> tuple[Step, ...]:
    """The tour, in its order."""
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


def play(stage: Stage, step: Step) -> None:
    """Do one step. Raises StepFailed, also where the desk or the mail server was not there."""
    stage.begin()
    try:
        step.act(stage)
    except KeyError as error:
        raise StepFailed(f"an earlier step is missing ({error.args[0]}): start the tour again") from error
    except OSError as error:
        raise StepFailed(f"the mail server could not be used: {error}") from error
