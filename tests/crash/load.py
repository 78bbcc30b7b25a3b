"""The load of a crash test: what people, agents, robots and mail servers write, by a seed.

`plan(seed, bursts, size)` says who does what, without a desk. A `World` turns each action into the bytes of a mail,
with the signed addresses that its own desk has sent out; so the same plan can be played to a desk that is killed and to
one that is left in peace, and afterwards both must hold the same.

    action     what is written                                           what a desk makes of it
    report     a person reports something, some with a picture           a ticket, an acknowledgement, notifications
    reply      the person replies to the acknowledgement                 a message on the ticket, a notification
    take       an agent replies "#ambil"                                 the ticket has an agent
    answer     an agent answers                                          the person gets the words, the timers start
    close      an agent replies "#selesai" and words                     the person gets them, the ticket is closed
    bounce     a mail server returns the acknowledgement                 the agent is told
    robot      the person's mailbox says that they are away              a message, nobody is written to
    stray      a robot that belongs to no ticket                         held in quarantine
    status     the person asks for the status                            an answer, nothing else
    again      a mail that was delivered before, byte for byte           nothing: a duplicate
    other_way  the same with another trace header                        nothing: a duplicate
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import getaddresses
from typing import Protocol

from tests.support.people import (
    ADDRESS,
    BUDI,
    SALLY,
    WIRE,
    Sent,
)

# What may happen to a ticket next, and how often; "close" and "bounce" end it.
NEXT = {
    "reply": 5,
    "answer": 5,
    "take": 2,
    "close": 2,
    "bounce": 1,
    "robot": 1,
    "status": 2,
    "again": 2,
    "other_way": 1,
}
ENDS = {"close", "bounce"}
# The share of new reports and stray robots among all actions.
NEW, STRAY = 0.45, 0.05


@dataclass(frozen=True, slots=True)
class Action:
    """One mail to be written. `story`: which report it belongs to. `serial`: unique in its plan."""

    kind: str
    story: int
    serial: int


def plan(seed: int, bursts: int, size: int) -> list[list[Action]]:
    """Bursts of up to `size` actions each; in one burst a story moves on by one step."""
    dice = random.Random(seed)
    open_stories: list[int] = []
    stories = serial = 0
    planned = []
    for _ in range(bursts):
        burst: list[Action] = []
        waiting = dice.sample(open_stories, len(open_stories))
        for _ in range(dice.randint(1, size)):
            serial += 1
            fate = dice.random()
            if fate < STRAY:
                burst.append(Action("stray", -serial, serial))
            elif fate < STRAY + NEW or not waiting:
                stories += 1
                burst.append(Action("report", stories, serial))
            else:
                story = waiting.pop()
                kind = dice.choices(list(NEXT), list(NEXT.values()))[0]
                burst.append(Action(kind, story, serial))
                if kind in ENDS:
                    open_stories.remove(story)
        open_stories += [action.story for action in burst if action.kind == "report"]
        planned.append(burst)
    return planned


class Post(Protocol):
    """Whatever a desk has sent."""

    def last_sent(self, recipient: str, kind: str, subject: str) -> Sent:
        """The last mail of this kind to this person whose subject contains these words."""


@dataclass
class World:
    """Writes the mails of a plan to one desk. `written`: all of them, in their order."""

    post: Post
    name: str
    written: list[bytes] = field(default_factory=list)
    _last: dict[int, bytes] = field(default_factory=dict)

    def letters(self, burst: list[Action]) -> Iterator[bytes]:
        """The mails of one burst; each is written when it is asked for."""
        for action in burst:
            raw = self._letter(action)
            self._last[action.story] = raw
            self.written.append(raw)
            yield raw

    def requester(self, story: int) -> str:
        return f"guru{abs(story)}@sekolah.example"

    def subject(self, story: int) -> str:
        return f"Laporan {self.name} nomor {story} selesai ditulis"

    def _agent(self, story: int) -> str:
        return SALLY if story % 2 else BUDI

    def _letter(self, action: Action) -> bytes:
        story, kind = action.story, action.kind
        person, words = self.requester(story), f"Kata ke-{action.serial} dari {self.name}."
        if kind == "report":
            return self._mail(action, person, ADDRESS, self.subject(story), f"Laporan dikirim.\n{words}")
        if kind == "stray":
            return self._mail(
                action, person, ADDRESS, f"Robot {action.serial}", words, {"Auto-Submitted": "auto-replied"}
            )
        if kind == "again":
            return self._last[story]
        if kind == "other_way":
            return (
                b"Received: from relay.example by mx.helpdesk.example; Mon, 3 Nov 2025 10:00:00 +0700\r\n"
                + self._last[story]
            )
        if kind in ("take", "answer", "close"):
            orders = {"take": "#ambil", "answer": words, "close": f"#selesai\n{words}"}
            agent = self._agent(story)
            return self._reply(
                action, self.post.last_sent(agent, "notification", self.subject(story)), agent, orders[kind]
            )
        acknowledgement = self.post.last_sent(person, "acknowledgement", self.subject(story))
        if kind == "bounce":
            return _returned(action, acknowledgement, self.name)
        if kind == "status":
            return self._mail(action, person, ADDRESS, f"STATUS #{acknowledgement['X-Mailbot-Ticket']}", "")
        robot = {"Auto-Submitted": "auto-replied"} if kind == "robot" else {}
        return self._reply(action, acknowledgement, person, words, robot)

    def _reply(self, action: Action, to: Sent, sender: str, words: str, more: dict[str, str] | None = None) -> bytes:
        quoted = "\n".join("> " + line for line in to.text.splitlines())
        said = f"Pada tanggal Sen, 3 Nov 2025 pukul 15.10 Helpdesk <{ADDRESS}> menulis:"
        # A robot's mail is kept whole, and a quotation in it would have times that differ from desk to desk.
        text = words if more else f"{words}\n\n{said}\n\n{quoted}\n"
        headers = {"In-Reply-To": to["Message-ID"], "References": to["Message-ID"]} | (more or {})
        return self._mail(action, sender, getaddresses([to["Reply-To"]])[0][1], f"Re: {to['Subject']}", text, headers)

    def _mail(
        self, action: Action, sender: str, to: str, subject: str, text: str, headers: dict[str, str] | None = None
    ) -> bytes:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = sender, to, subject
        mail["Date"] = "Mon, 03 Nov 2025 10:00:00 +0700"
        mail["Message-ID"] = f"<{action.serial}.{self.name}@sekolah.example>"
        for name, value in (headers or {}).items():
            mail[name] = value
        mail.set_content(text)
        if action.kind == "report" and action.serial % 3 == 0:
            picture = b"\xff\xd8\xff\xe0" + bytes(action.serial % 251 for _ in range(20_000))
            mail.add_attachment(picture, maintype="image", subtype="jpeg", filename="bukti.jpg")
        return mail.as_bytes(policy=WIRE)


def _returned(action: Action, mail: Sent, name: str) -> bytes:
    """A delivery report (RFC 3464) about a mail that the desk has sent."""
    head = (
        f"From: MAILER-DAEMON@mx.sekolah.example\r\nTo: {mail.envelope_from}\r\n"
        f"Subject: Undelivered Mail Returned to Sender\r\nMessage-ID: <{action.serial}.{name}@mx.sekolah.example>\r\n"
        "Date: Mon, 03 Nov 2025 10:00:00 +0700\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n--b\r\n\r\n'
        "Your mail could not be delivered.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        f"Reporting-MTA: dns; mx.sekolah.example\r\n\r\nFinal-Recipient: rfc822; {mail.recipient}\r\n"
        "Action: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 unknown user\r\n\r\n"
        "--b\r\nContent-Type: message/rfc822\r\n\r\n"
    )
    return head.encode() + mail.raw + b"\r\n--b--\r\n"
