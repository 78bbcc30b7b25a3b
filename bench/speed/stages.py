"""Where the CPU time of taking in a mail goes, from Dovecot to the SMTP server, by stage.

    python -m bench.speed.stages [--mails 500] [--write]

`mailbot run --once` in this process, on the mix of corpus.py, with a notification of an agent for each report
(1.7 mails out for each in). Understanding in worker processes is switched off, so that all of the work is done here. No
profiler: the doors of the stages (`DOORS`) read their thread's CPU clock when they are entered and left, some 130 times
for a mail. That takes some 0.3 ms; else the figures are what a mail costs, and add up to what the kernel counted.

A stage has what happens behind its doors, except what is done behind a door of another stage that is reached from
`understand` or `decide`; behind all other doors, everything belongs to the stage. `rest` is what happens outside of all
doors: the threads' own loops, locks, the tidying up of memory, opening and closing the desk. Waiting (for the disk, for
a server) is no CPU time and not in it.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import inspect
import math
import pkgutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import GeneratorType, TracebackType
from typing import Any

from bench.speed import corpus
from bench.speed.products import MailbotDesk, Servers
from bench.speed.sink import Sink
from bench.support import report
from tests.support.dovecot import Dovecot

EARLIER, WARM = 100, 50
# Module, function or class.method, stage. Each is there, or the bench fails: a door that is gone counts nothing.
DOORS = (
    ("mailbot.transport.imap.mailbox", "Mailbox.open", "fetch"),
    ("mailbot.transport.imap.mailbox", "Mailbox.uids", "fetch"),
    ("mailbot.transport.imap.mailbox", "Mailbox.fetch", "fetch"),
    ("mailbot.mail.mime.parser", "parse_message", "parse"),
    ("mailbot.mail.mime.parser", "parse_header_only", "parse"),
    ("mailbot.mail.analysis", "analyse", "understand"),
    ("mailbot.mail.duplicates", "identity", "understand"),
    ("mailbot.mail.reply.reply_text", "new_words", "understand"),
    ("mailbot.mail.ordering_keys", "order_keys", "understand"),
    ("mailbot.desk.inbound.attachment_screening", "AttachmentScreening.screen", "understand"),
    ("mailbot.desk.helpdesk", "Helpdesk.receive", "decide"),
    ("mailbot.desk.helpdesk", "Helpdesk.process", "decide"),
    ("mailbot.desk.outbound.templates", "Renderer.render", "render"),
    ("mailbot.mail.compose.composer", "compose", "compose"),
    ("mailbot.mail.compose.attachments", "enclose", "compose"),
    ("mailbot.transport.smtp.submission", "Submission.send", "send"),
    ("mailbot.desk.outbound.delivery", "Delivery._note", "record what was sent"),
    ("mailbot.desk.outbound.delivery", "Delivery._record", "record what was sent"),
    ("mailbot.transport.imap.mailbox", "Mailbox.file", "file"),
    ("mailbot.desk.helpdesk", "Helpdesk.set_filed", "file"),
)
# All that is public here is a door of "store".
STORE = "mailbot.store"
ORDER = (
    "fetch", "parse", "understand", "decide", "store", "render", "compose", "send", "record what was sent", "file",
    "rest",
)  # fmt: skip
# What these do behind another stage's door is that stage's.
OPEN = frozenset({"rest", "understand", "decide"})


_spent: list[Counter[str]] = []


class Clock(threading.local):
    """A thread's stages, the innermost last, and what each has had of its time."""

    def __init__(self) -> None:
        self.inside = ["rest"]
        self.since = time.thread_time()
        self.spent: Counter[str] = Counter()
        _spent.append(self.spent)

    def enter(self, stage: str) -> bool:
        """From here on, the thread's time is this stage's, if it may be."""
        innermost = self.inside[-1]
        if innermost not in OPEN or innermost == stage:
            return False
        now = time.thread_time()
        self.spent[innermost] += now - self.since
        self.inside.append(stage)
        self.since = now
        return True

    def leave(self) -> None:
        """The innermost stage is left."""
        now = time.thread_time()
        self.spent[self.inside.pop()] += now - self.since
        self.since = now


_clock = Clock()


class _Around:
    """A context manager whose way in and way out are of a stage."""

    def __init__(self, inner: Any, stage: str) -> None:
        self._inner, self._stage = inner, stage

    def __enter__(self) -> Any:
        return _counted(self._stage, self._inner.__enter__)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Any:
        return _counted(self._stage, self._inner.__exit__, kind, error, trace)


def _counted(stage: str, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    if not _clock.enter(stage):
        return function(*arguments, **named)
    try:
        return function(*arguments, **named)
    finally:
        _clock.leave()


def door(function: Callable[..., Any], stage: str) -> Callable[..., Any]:
    """The same function, with the time in it counted; of a generator, the time until it yields."""

    @functools.wraps(function)
    def counted(*arguments: Any, **named: Any) -> Any:
        result = _counted(stage, function, *arguments, **named)
        if type(result) is GeneratorType:
            return _each(result, stage)
        if type(result) is contextlib._GeneratorContextManager:
            return _Around(result, stage)
        return result

    return counted


def _each(items: Iterator[Any], stage: str) -> Iterator[Any]:
    while (item := _counted(stage, next, items, None)) is not None:
        yield item


def make_doors() -> None:
    """Put them in, also where a function was imported by its name."""
    for module in (
        "mailbot.daemon.once",
        "mailbot.desk.helpdesk",
        "mailbot.transport.imap.mailbox",
        "mailbot.transport.smtp.submission",
        "mailbot.desk.outbound.delivery",
    ):
        importlib.import_module(module)
    for name, path, stage in DOORS:
        holder: Any = importlib.import_module(name)
        *owner, last = path.split(".")
        for part in owner:
            holder = getattr(holder, part)
        _replace(holder, last, stage)
    for found in pkgutil.walk_packages(importlib.import_module(STORE).__path__, f"{STORE}."):
        module = sys.modules.get(found.name)
        for holder in [module, *_classes(module)] if module else ():
            for last, value in list(vars(holder).items()):
                if inspect.isfunction(value) and value.__module__ == found.name and not last.startswith("_"):
                    _replace(holder, last, "store")


def _classes(module: Any) -> list[type]:
    return [value for value in vars(module).values() if inspect.isclass(value) and value.__module__ == module.__name__]


def _replace(holder: Any, name: str, stage: str) -> None:
    plain = getattr(holder, name)
    counted = door(plain, stage)
    setattr(holder, name, counted)
    if inspect.ismodule(holder):
        for module in [module for key, module in sys.modules.items() if key.startswith("mailbot")]:
            for other, value in list(vars(module).items()):
                if value is plain:
                    setattr(module, other, counted)


@dataclass(frozen=True)
class Found:
    """Seconds of each stage and of the whole process, and what was done for it."""

    stages: Counter[str]
    whole: float
    mails: int
    out: int


def measure(mails: int) -> Found:
    """Two passes in this process; the first warms it up."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        (home / "dovecot").mkdir()
        with Dovecot(home / "dovecot") as dovecot, Sink() as sink:
            servers, desk = Servers(dovecot, sink.port), home / "desk"
            product = MailbotDesk("", "all")
            all_mails = corpus.mails(WARM + mails, earlier=EARLIER)
            product.prepare(desk, servers, [next(all_mails) for _ in range(EARLIER)])
            _forget_workers()
            make_doors()
            _take_in(product, desk, servers, "warm", [next(all_mails).raw for _ in range(WARM)])
            dovecot.append("measured", *(mail.raw for mail in all_mails))
            sink.count()
            for thread in _spent:
                thread.clear()
            before = time.process_time()
            _take_in(product, desk, servers, "measured", [])
            whole = time.process_time() - before
            out = sink.count().total()
            left = dovecot.count("measured")
            assert left == 0, f"{left} mails were not taken in"
            assert out >= mails, f"{out} mails out for {mails}"
            return Found(sum(_spent, Counter()), whole, mails, out)


def _forget_workers() -> None:
    """No look finds so many mails that another process understands some of them."""
    inbox = importlib.import_module("mailbot.daemon.inbox_reader")
    assert inbox.BACKLOG > 0
    inbox.BACKLOG = math.inf  # type: ignore[attr-defined]


def _take_in(product: MailbotDesk, desk: Path, servers: Servers, user: str, mails: list[bytes]) -> None:
    """`mailbot run --once`."""
    from mailbot.config.load import load_settings
    from mailbot.daemon.once import run_once

    servers.dovecot.append(user, *mails)
    product.command(desk, servers, user)
    code = run_once(load_settings(desk / "mailbot.toml"))
    assert code == 0, f"exit code {code}"


def section(found: Found, command: str) -> str:
    """The table and the plot."""
    named = {stage: seconds for stage, seconds in found.stages.items() if stage != "rest"}
    stages = Counter(named | {"rest": found.whole - sum(named.values())})  # it is also in threads that met no door
    unknown = set(stages) - set(ORDER)
    assert not unknown, f"a stage without a place in the table: {unknown}"
    per_mail = [(name, 1000 * stages[name] / found.mails) for name in ORDER]
    whole = 1000 * found.whole / found.mails
    rows = [(name, f"{100 * ms / whole:.0f} %", f"{ms:.2f}") for name, ms in per_mail]
    plot = report.bars("stages", "CPU time of a mail by stage", [(name, ms, f"{ms:.2f} ms") for name, ms in per_mail])
    return "\n\n".join((
        report.table(("stage", "share", "ms CPU a mail"), [*rows, ("in all", "100 %", f"{whole:.2f}")]),
        f"![CPU time by stage](plots/{plot.name})",
        _WHAT,
        f"{found.mails} mails in, {found.out} out. {report.measured_by(command)}",
    ))  # fmt: skip


_WHAT = """\
CPU time of the threads of one process that takes in a backlog (`run --once`), as the kernel counts it, without a
profiler and without waiting: *fetch* from IMAP, *parse* into parts and text, *understand* (kind of mail, new words,
files), *decide* what is to be done, all of the *store* (packing the raw mail and commits too), *render* templates,
*compose* mails, *send* them, *record what was sent*, *file* handled mail in its folder; *rest* is what lies between,
and opening and closing the desk. Understanding in another process, which a backlog has otherwise, was off."""


def main() -> None:
    """Measure, and print or write the section."""
    given = report.options(__doc__, mails=500)
    text = section(measure(given.mails), f"python -m bench.speed.stages --mails {given.mails}")
    report.publish("stages", text, write=given.write)


if __name__ == "__main__":
    main()
