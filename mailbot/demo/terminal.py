"""The guided tour in a terminal: it plays by itself, prints each mail as it goes, and says what has just happened.

In: a running `World`. Out: text on the console; 0, or 1 with the reason where a step did not happen.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from datetime import datetime

from rich.console import Console, Group
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.text import Text

from mailbot.demo.mail_client import WIB
from mailbot.demo.mails import DemoMail
from mailbot.demo.people import DESK_NAME, PEOPLE
from mailbot.demo.simulation import World
from mailbot.demo.tour import Stage, Step, StepFailed, play, steps
from mailbot.vocabulary.quoting import MARKER_LINES

# Real seconds: a glance at each step where somebody looks on; the clock's runs; how often the clock is shown.
GLANCE = 1.3
STRETCH = 3.0
REFRESH = 0.1
# Lines of a mail that are shown.
LINES = 9
WIDTH = 96

_DAYS = ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu")
_KINDS = {
    "acknowledgement": "konfirmasi",
    "answer": "jawaban",
    "closure": "penutupan",
    "notice": "kabar untuk petugas",
    "notification": "pemberitahuan",
    "reminder": "pengingat",
    "status": "status",
}
_DESK_COLOUR = "bright_blue"
_COLOURS = dict(zip((person.key for person in PEOPLE), ("green", "yellow", "magenta", "cyan"), strict=True))


def play_in_terminal(world: World, console: Console | None = None) -> int:
    """Play the whole tour; the exit code."""
    console = console or Console(highlight=False)
    console.width = min(console.width, WIDTH)
    began = time.monotonic()
    stage, show = Stage(world, STRETCH), _Show(world, console)
    console.print(
        Panel(
            "Satu tiket dari lahir sampai selesai, dengan surat sungguhan lewat server IMAP dan SMTP di komputer ini.\n"
            "[dim]One ticket's whole life, by real mail through an IMAP and an SMTP server on this machine.[/]",
            title="[bold]mailbot demo[/]",
            border_style=_DESK_COLOUR,
        )
    )
    for position, step in enumerate(steps(), 1):
        try:
            show.step(position, step, _begin(stage, step))
        except StepFailed as failure:
            console.print(f"[bold red]✗ Langkah {position} ({step.key}): {failure}[/]")
            return 1
    console.print(Rule(style="green"))
    console.print(
        f"[bold green]✓[/] Tiket #{stage.number} dan lanjutannya #{stage.follow_up} selesai: "
        f"{len(steps())} langkah dalam {time.monotonic() - began:.0f} detik. "
        "[dim]Coba sendiri di peramban / try it yourself:[/] mailbot demo"
    )
    return 0


def _begin(stage: Stage, step: Step) -> Future[None]:
    """Do a step in a thread that Ctrl-C need not wait for."""
    doing: Future[None] = Future()

    def run() -> None:
        try:
            play(stage, step)
        except BaseException as error:  # noqa: BLE001 - whoever waits for the step gets it
            doing.set_exception(error)
        else:
            doing.set_result(None)

    threading.Thread(target=run, name="demo-tour", daemon=True).start()
    return doing


class _Show:
    """Prints what is new since the last look."""

    def __init__(self, world: World, console: Console) -> None:
        self._world = world
        self._console = console
        self._shown = 0
        self._previous: DemoMail | None = None

    def step(self, position: int, step: Step, doing: Future[None]) -> None:
        """Show a step while it happens, and what it meant. Raises what it raised."""
        console, words = self._console, step.words
        console.print()
        console.print(
            Rule(f"[bold]{position}. {words['id'].title}[/] [dim]· {words['en'].title}[/]", align="left", style="dim")
        )
        with console.status("") as status:
            while not doing.done():
                self._world.bell.wait_for(self._is_news, REFRESH)
                self.letters()
                status.update(f"[dim]{_moment(self._world.clock.now())}[/]")
        doing.result()
        self.letters()
        console.print(Padding(words["id"].text, (0, 2)))
        console.print(Padding(f"[dim italic]{words['en'].text}[/]", (0, 2)))
        if console.is_terminal:
            time.sleep(GLANCE)

    def letters(self) -> None:
        """Print the letters that came or went."""
        for letter in self._world.letters.all()[self._shown :]:
            self._shown += 1
            if self._previous is not None and _same_news(letter, self._previous):
                self._console.print(f"  [dim]✉  {_who(letter)}: {_KINDS[letter.kind]} yang sama[/]")
            else:
                self._console.print(_panel(letter))
            self._previous = letter

    def _is_news(self) -> bool:
        return len(self._world.letters.all()) > self._shown


def _same_news(letter: DemoMail, other: DemoMail) -> bool:
    """Two agents are told the same."""
    return (
        letter.kind == other.kind == "notification"
        and letter.mail.subject == other.mail.subject
        and (letter.person is not other.person)
    )


def _panel(letter: DemoMail) -> Panel:
    words, left = _words(letter)
    body = Text(words)
    for file in letter.mail.attachments:
        body.append(f"\n📎 {file.name} ({max(1, file.size // 1024)} KB)", style="bold")
    if left:
        body.append(f"\n{left}", style="dim")
    kind = _KINDS.get(letter.kind, "")
    return Panel(
        Group(Text(letter.mail.subject, style="bold"), Text(), body),
        title=_who(letter) + (f" [dim]· {kind}[/]" if kind else ""),
        title_align="left",
        subtitle=f"[dim]{_moment(letter.at)}[/]",
        subtitle_align="right",
        border_style=_COLOURS[letter.person.key] if letter.sent else _DESK_COLOUR,
        padding=(0, 1),
    )


def _who(letter: DemoMail) -> str:
    """Who → whom, as the readers see it."""
    person = f"[bold {_COLOURS[letter.person.key]}]{letter.person.name}[/]"
    desk = f"[bold {_DESK_COLOUR}]{DESK_NAME if letter.sent else letter.mail.from_address.name or DESK_NAME}[/]"
    return f"{person} → {desk}" if letter.sent else f"{desk} → {person}"


def _words(letter: DemoMail) -> tuple[str, str]:
    """The mail's first lines, and what is left out in words."""
    text, quoted = letter.mail.text.strip(), ""
    for marker in MARKER_LINES:
        text = text.removeprefix(marker).lstrip()
    if letter.sent:  # written by `writing`, which puts the quotation last
        text, mark, quoted = text.partition("\n\nPada ")
        quoted = f"(… dan kutipan: {len(quoted.splitlines())} baris)" if mark else ""
    lines = text.splitlines()
    if len(lines) > LINES:
        return "\n".join(lines[:LINES]).rstrip(), f"(… {len(lines) - LINES} baris lagi)"
    return text, quoted


def _moment(at: datetime) -> str:
    local = at.astimezone(WIB)
    return f"{_DAYS[local.weekday()]} {local.day:02d}/{local.month:02d} {local:%H:%M} WIB"
