"""The guided tour in a terminal: plays all steps, prints each mail, and explains what has happened.

In: a running `Simulation`. Out: text on the console; 0, or 1 with the reason if a step failed.
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
from mailbot.demo.simulation import Simulation
from mailbot.demo.tour import Step, StepFailed, TourRun, play, steps
from mailbot.vocabulary.quoting import MARKER_LINES

# Real seconds: a pause after each step at a terminal; to the next reminder; between two updates of the clock.
PAUSE = 1.3
FAST_FORWARD_SECONDS = 3.0
REFRESH = 0.1
# Lines of a mail that are shown.
MAX_LINES = 9
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


def play_in_terminal(simulation: Simulation, console: Console | None = None) -> int:
    """Play the whole tour; return the exit code."""
    console = console or Console(highlight=False)
    console.width = min(console.width, WIDTH)
    began = time.monotonic()
    run, show = TourRun(simulation, FAST_FORWARD_SECONDS), _Transcript(simulation, console)
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
            show.step(position, step, _begin(run, step))
        except StepFailed as failure:
            console.print(f"[bold red]✗ Langkah {position} ({step.key}): {failure}[/]")
            return 1
    console.print(Rule(style="green"))
    console.print(
        f"[bold green]✓[/] Tiket #{run.number} dan lanjutannya #{run.follow_up} selesai: "
        f"{len(steps())} langkah dalam {time.monotonic() - began:.0f} detik. "
        "[dim]Coba sendiri di peramban / try it yourself:[/] mailbot demo"
    )
    return 0


def _begin(run: TourRun, step: Step) -> Future[None]:
    """Run a step in a thread that Ctrl-C need not wait for."""
    doing: Future[None] = Future()

    def work() -> None:
        try:
            play(run, step)
        except BaseException as error:  # noqa: BLE001 - raised again where the step is awaited
            doing.set_exception(error)
        else:
            doing.set_result(None)

    threading.Thread(target=work, name="demo-tour", daemon=True).start()
    return doing


class _Transcript:
    """Prints the mails that were not printed yet."""

    def __init__(self, simulation: Simulation, console: Console) -> None:
        self._simulation = simulation
        self._console = console
        self._shown = 0
        self._previous: DemoMail | None = None

    def step(self, position: int, step: Step, doing: Future[None]) -> None:
        """Show a step while it runs, then its explanation. Raises what the step raised."""
        console, words = self._console, step.words
        console.print()
        console.print(
            Rule(f"[bold]{position}. {words['id'].title}[/] [dim]· {words['en'].title}[/]", align="left", style="dim")
        )
        with console.status("") as status:
            while not doing.done():
                self._simulation.changes.wait_for(self._has_new_mail, REFRESH)
                self.print_new_mails()
                status.update(f"[dim]{_time(self._simulation.clock.now())}[/]")
        doing.result()
        self.print_new_mails()
        console.print(Padding(words["id"].text, (0, 2)))
        console.print(Padding(f"[dim italic]{words['en'].text}[/]", (0, 2)))
        if console.is_terminal:
            time.sleep(PAUSE)

    def print_new_mails(self) -> None:
        """Print the mails that were sent or delivered."""
        for mail in self._simulation.mailboxes.all()[self._shown :]:
            self._shown += 1
            if self._previous is not None and _is_same_notification(mail, self._previous):
                self._console.print(f"  [dim]✉  {_who(mail)}: {_KINDS[mail.kind]} yang sama[/]")
            else:
                self._console.print(_panel(mail))
            self._previous = mail

    def _has_new_mail(self) -> bool:
        return len(self._simulation.mailboxes.all()) > self._shown


def _is_same_notification(mail: DemoMail, other: DemoMail) -> bool:
    """Whether both are the same notification, to two agents."""
    return (
        mail.kind == other.kind == "notification"
        and mail.message.subject == other.message.subject
        and (mail.person is not other.person)
    )


def _panel(mail: DemoMail) -> Panel:
    words, omitted = _excerpt(mail)
    body = Text(words)
    for file in mail.message.attachments:
        body.append(f"\n📎 {file.name} ({max(1, file.size // 1024)} KB)", style="bold")
    if omitted:
        body.append(f"\n{omitted}", style="dim")
    kind = _KINDS.get(mail.kind, "")
    return Panel(
        Group(Text(mail.message.subject, style="bold"), Text(), body),
        title=_who(mail) + (f" [dim]· {kind}[/]" if kind else ""),
        title_align="left",
        subtitle=f"[dim]{_time(mail.at)}[/]",
        subtitle_align="right",
        border_style=_COLOURS[mail.person.key] if mail.sent else _DESK_COLOUR,
        padding=(0, 1),
    )


def _who(mail: DemoMail) -> str:
    """Return author → recipient, with markup."""
    person = f"[bold {_COLOURS[mail.person.key]}]{mail.person.name}[/]"
    desk = f"[bold {_DESK_COLOUR}]{DESK_NAME if mail.sent else mail.message.from_address.name or DESK_NAME}[/]"
    return f"{person} → {desk}" if mail.sent else f"{desk} → {person}"


def _excerpt(mail: DemoMail) -> tuple[str, str]:
    """Return the mail's first lines, and a note on what is left out."""
    text, quoted = mail.message.text.strip(), ""
    for marker in MARKER_LINES:
        text = text.removeprefix(marker).lstrip()
    if mail.sent:  # written by `mail_client`, which puts the quotation last
        text, mark, quoted = text.partition("\n\nPada ")
        quoted = f"(… dan kutipan: {len(quoted.splitlines())} baris)" if mark else ""
    lines = text.splitlines()
    if len(lines) > MAX_LINES:
        return "\n".join(lines[:MAX_LINES]).rstrip(), f"(… {len(lines) - MAX_LINES} baris lagi)"
    return text, quoted


def _time(at: datetime) -> str:
    local = at.astimezone(WIB)
    return f"{_DAYS[local.weekday()]} {local.day:02d}/{local.month:02d} {local:%H:%M} WIB"
