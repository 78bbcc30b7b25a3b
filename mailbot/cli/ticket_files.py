"""A ticket's files: listed, or extracted from the mails that brought them.

In: a ticket's number. Out: a table, or files of mode 0600 in a folder. Withheld files are written too, with the suffix
".held", which no program opens on a double click. Never: overwrites a file; changes anything in the desk.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from mailbot.cli import output
from mailbot.desk.outbound.attachments import find_file
from mailbot.errors import NotPossible
from mailbot.mail.mime.filetype import safe_name
from mailbot.mail.mime.parser import parse_message
from mailbot.store import queries, raw_mail
from mailbot.store.engine import Store


def list_files(store: Store, number: int, *, as_json: bool) -> None:
    """List the files in the order in which they came."""
    found = [file | {"from": author} for author, _, file in _files(store, number)]
    if as_json:
        output.print_json(found)
        return
    columns = ("name", "type", "size", "from", "held")
    if not output.print_table(
        columns, ([file.get(column, "") for column in columns] for file in found), right=("size",)
    ):
        output.say(f"Ticket #{number} has no files.")


def write_files(store: Store, number: int, folder: Path) -> None:
    """Write every file into the folder; each content once."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    missing: list[str] = []
    done: set[str] = set()
    for position, (_, raw_sha256, file) in enumerate(_files(store, number), 1):
        if file["sha256"] in done:
            continue
        done.add(file["sha256"])
        with store.reading() as connection:
            raw = raw_mail.get(connection, raw_sha256) if raw_sha256 else None
        found = find_file(parse_message(raw), file["sha256"]) if raw is not None else None
        if found is None:
            missing.append(file["name"])
            continue
        name = safe_name(file["name"], file["type"], position) + (".held" if file.get("held") else "")
        output.say(str(_write(folder, name, found.content)))
    if missing:
        raise NotPossible(f"Their mail is no longer stored ([storage] keep_raw, or erased): {', '.join(missing)}")


def _files(store: Store, number: int) -> list[tuple[str, str, dict[str, Any]]]:
    """Return (author, digest of the mail that has it, the recorded file) for each file."""
    ticket = queries.show_ticket(store, number)
    if ticket is None:
        raise NotPossible(f"There is no ticket #{number}; see `mailbot ticket list`.")
    return [
        (message.author, message.raw_sha256, dict(file)) for message in ticket.messages for file in message.attachments
    ]


def _write(folder: Path, name: str, content: bytes) -> Path:
    """Write a new file of this name; with a number in front if the name is taken."""
    for count in range(1, 1000):
        path = folder / (name if count == 1 else f"{count}-{name}")
        try:
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        except FileExistsError:
            continue
        with os.fdopen(file, "wb") as out:
            out.write(content)
        return path
    raise NotPossible(f"{folder} is full of files called {name}")
