"""The files of mail that goes out: read back from the mail that they came in, large ones kept on disk while they go.

In: outbox rows, whose `attachments` name a stored mail and a digest for each file. Out: the composed mail with its
files. A file is stored once, in the mail that brought it; here that mail is unpacked once for all who are told of it.
A large file (footprint.LARGE) does not stay in memory while a server takes its time: it lies in a file without a name
in the desk's folder, which is gone with the process, and is read piece by piece. Where the disk has no room for it, it
stays in memory.
Never: writes into a mail that was stored; hands out an address with a token of somebody else (`core.relay`); two large
mails unpacked at once.
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from mailbot.mail.compose.attachments import enclose
from mailbot.mail.compose.streaming import Content, Outgoing
from mailbot.mail.message import Attachment, InboundMessage
from mailbot.mail.mime.parser import parse_message
from mailbot.mail.redaction import mask_tokens
from mailbot.runtime.memory import LARGE, unpacking_large_mail
from mailbot.store import raw_mail
from mailbot.store.engine import Store

log = logging.getLogger(__name__)


class OnDisk:
    """Bytes in a file without a name; slices of it are read. Several threads may read. OSError where it can't be."""

    def __init__(self, content: bytes, folder: Path) -> None:
        self._size = len(content)
        self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 - `close` is called by its owner
        try:
            view = memoryview(content)
            while view:
                view = view[self._file.write(view) :]
        except BaseException:
            self.close()
            raise

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, part: slice) -> bytes:
        start, end, _ = part.indices(self._size)
        found = os.pread(self._file.fileno(), end - start, start)
        if len(found) < end - start:
            raise OSError(f"a file on its way out has {len(found)} bytes from {start} on instead of {end - start}")
        return found

    def close(self) -> None:
        """The bytes are gone."""
        with suppress(OSError):  # nothing is written that could be lost
            self._file.close()


class AttachmentReader:
    """What goes out with mails, for one thread. `folder`: where large files lie meanwhile; None: in memory."""

    def __init__(self, store: Store, folder: Path | None) -> None:
        self._store = store
        self._folder = folder
        self._mail: tuple[str, InboundMessage] | None = None
        self._large: dict[str, dict[str, Content]] = {}

    def assembled(self, row: Any) -> bytes | Outgoing:
        """The composed mail of an outbox row with its files. Raises RawMailDamaged."""
        if not row.attachments:
            return bytes(row.raw)
        files = [found for wanted in row.attachments if (found := self._file(wanted)) is not None]
        contents = {digest: content for some in self._large.values() for digest, content in some.items()}
        mail = enclose(bytes(row.raw), files, contents)
        return mail if mail.size > LARGE else bytes(mail)

    def keep_only(self, rows: Iterable[Any]) -> None:
        """These come next: large files that none of them has are let go."""
        wanted = {file["raw"] for row in rows for file in row.attachments or ()}
        for raw in self._large.keys() - wanted:
            self._forget(raw)

    def let_go(self) -> None:
        """Nothing more goes out for now."""
        self.keep_only(())
        self._mail = None

    def _forget(self, raw: str) -> None:
        for content in self._large.pop(raw).values():
            if isinstance(content, OnDisk):
                content.close()
        if self._mail is not None and self._mail[0] == raw:
            self._mail = None

    def _file(self, wanted: dict[str, Any]) -> Attachment | None:
        """A file with its content, or without where that is large; None: it was dropped by [storage] keep_raw."""
        message = self._unpacked(wanted["raw"], wanted.get("size", 0))
        found = find_file(message, wanted["sha256"]) if message is not None else None
        # A mail of ours that somebody attached, or saved as a page, has its reader's signed address in it.
        masked = mask_tokens(found.content, found.content_type) if found is not None else b""
        return replace(found, content=masked) if found is not None and masked != found.content else found

    def _unpacked(self, sha256: str, size: int) -> InboundMessage | None:
        """The mail that a file of so many bytes came in, without its large files, which are put aside."""
        if self._mail is not None and self._mail[0] == sha256:
            return self._mail[1]
        self._mail = None
        with unpacking_large_mail(size):
            with self._store.reading() as connection:
                raw = raw_mail.get(connection, sha256)
            if raw is None:
                return None  # dropped by [storage] keep_raw or erased meanwhile
            message = parse_message(raw)
            del raw
            self._mail = (sha256, self._lightened(message, self._large.setdefault(sha256, {})))
        return self._mail[1]

    def _lightened(self, message: InboundMessage, aside: dict[str, Content]) -> InboundMessage:
        """The mail, its large files without their bytes; these are in `aside`, by the digest that they came with."""
        kept = []
        for file in message.attachments:
            if file.size > LARGE and file.sha256 not in aside:
                aside[file.sha256] = self._put_aside(mask_tokens(file.content, file.content_type))
            kept.append(file.drop_content() if file.size > LARGE else file)
        return replace(
            message, attachments=tuple(kept), nested=tuple(self._lightened(each, aside) for each in message.nested)
        )

    def _put_aside(self, content: bytes) -> Content:
        if self._folder is None:
            return content
        try:
            return OnDisk(content, self._folder)
        except OSError as error:
            log.warning("a file of %d bytes is kept in memory while it is sent: %s", len(content), error)
            return content


def find_file(message: InboundMessage, sha256: str) -> Attachment | None:
    """The attachment with this digest, in the mail itself or in one that is nested in it."""
    for attachment in message.attachments:
        if attachment.sha256 == sha256:
            return attachment
    for nested in message.nested:
        found = find_file(nested, sha256)
        if found is not None:
            return found
    return None
