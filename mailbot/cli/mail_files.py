"""Mail in files: .eml, mbox (RFC 4155), Maildir, a folder of .eml, stdin.

In: names from the command line. Out: each mail's bytes with its location, one at a time: an archive may be larger than
the memory. All unreadable names are reported before anything is done. Never: changes a file.
"""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from mailbot.errors import UsageError

# mboxrd: a line of the mail that looks like a separator was quoted with one more ">".
_QUOTED_FROM = re.compile(rb"^>(>*From )", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class FileMail:
    """One mail of a file."""

    raw: bytes
    location: str  # "2024.mbox:17" for the seventeenth mail of an mbox, else the file's name
    size: int  # bytes that it takes in the file, for the progress bar and to read it again
    offset: int = 0  # where in the file they begin


@dataclass(frozen=True, slots=True)
class MailFiles:
    """The files that were named on the command line; all of them exist and are readable."""

    files: tuple[Path, ...]

    def mails(self) -> Iterator[FileMail]:
        """Yield every mail of every file, in the order in which they were named."""
        for file in self.files:
            if str(file) == "-":
                yield from _split(sys.stdin.buffer, "stdin")
            else:
                with file.open("rb") as opened:
                    yield from _split(opened, str(file))

    @contextmanager
    def progress(self) -> Iterator[Iterator[FileMail]]:
        """Yield the mails, with a progress bar if stderr is a terminal."""
        total = sum(file.stat().st_size for file in self.files if str(file) != "-")
        with progress_bar("reading mail", total // 1024 if total >= 100_000 else 0) as advance:

            def counted() -> Iterator[FileMail]:
                done = 0
                for mail in self.mails():
                    yield mail
                    done += mail.size
                    advance(done // 1024)

            yield counted()


@contextmanager
def progress_bar(doing: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a progress bar if stderr is a terminal and `total` is not 0; yields the function that advances it."""
    if not sys.stderr.isatty() or not total:
        yield lambda done: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    from mailbot.cli.output import console

    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        task = bar.add_task(doing, total=total)
        yield lambda done: bar.update(task, completed=done)


def read_again(file: Path, offset: int, size: int) -> bytes:
    """Read one mail again by its position (`FileMail.offset`, `FileMail.size`), without what is around it."""
    with file.open("rb") as opened:
        opened.seek(offset)
        piece = io.BytesIO(opened.read(size))
    return next((mail.raw for mail in _split(piece, str(file))), b"")


def find_mail_files(names: list[Path]) -> MailFiles:
    """Find the files behind the names; UsageError with every name that can't be used."""
    files: list[Path] = []
    problems = []
    for name in names:
        if str(name) == "-":
            files.append(name)
        elif name.is_dir():
            inside = _in_folder(name)
            files += inside
            if not inside:
                problems.append(f"{name}: is neither a Maildir nor a folder with .eml files")
        elif not name.exists():
            problems.append(f"{name}: there is no such file")
        elif not os.access(name, os.R_OK):
            problems.append(f"{name}: may not be read")
        else:
            files.append(name)
    if problems:
        raise UsageError("\n  ".join(["nothing was read:", *problems]))
    return MailFiles(tuple(files))


def _in_folder(folder: Path) -> list[Path]:
    """Return a Maildir's mails, oldest first (the file name begins with the time), else every .eml below the folder."""
    maildir = [sub for sub in (folder / "cur", folder / "new") if sub.is_dir()]
    if maildir:
        return sorted((file for sub in maildir for file in sub.iterdir() if file.is_file()), key=lambda file: file.name)
    return sorted(file for file in folder.rglob("*") if file.suffix.lower() == ".eml" and file.is_file())


def _split(stream: BinaryIO, name: str) -> Iterator[FileMail]:
    """Yield one mail, or those of an mbox, which begins with "From " and no colon (RFC 4155, Appendix A)."""
    first = stream.readline()
    if not re.match(rb"From [^:\r\n]", first):
        raw = first + stream.read()
        if raw.strip():
            yield FileMail(raw, name, len(raw))
        return
    lines: list[bytes] = []
    offset, size, number, blank = 0, len(first), 1, False
    for line in stream:
        if blank and line.startswith(b"From "):
            yield _of_mbox(lines, f"{name}:{number}", size, offset)
            lines, offset, size, number, blank = [], offset + size, len(line), number + 1, False
            continue
        lines.append(line)
        size += len(line)
        blank = line in (b"\n", b"\r\n")
    yield _of_mbox(lines, f"{name}:{number}", size, offset)


def _of_mbox(lines: list[bytes], location: str, size: int, offset: int) -> FileMail:
    """Return a mail without the blank line that the format puts behind it, and with "From " unquoted."""
    if lines and lines[-1] in (b"\n", b"\r\n"):
        lines = lines[:-1]
    return FileMail(_QUOTED_FROM.sub(rb"\1", b"".join(lines)), location, size, offset)
