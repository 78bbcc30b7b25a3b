"""The files of outgoing mail: read back from the mail that they came in, large ones kept on disk while they are sent.

In: outbox rows, whose `attachments` name a stored mail and a digest for each file. Out: the composed mail with its
files. A file is stored once, in the mail that brought it; here that mail is unpacked once for all its recipients.
A large file (`runtime.memory.LARGE`) does not stay in memory while a server takes its time: it is in an unnamed file
in the desk's folder, which is gone with the process, and is read in pieces. Where the disk has no room for it, it
stays in memory.
Never: writes into a mail that was stored; hands out an address with another person's token (`mail.redaction`); two
large mails unpacked at once.
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
from mailbot.store.rows import OutboxRow

log = logging.getLogger(__name__)


class OnDisk:
    """Bytes in an unnamed file, read by slices. Several threads may read. Raises OSError where it can't be made."""

    def __init__(self, content: bytes, folder: Path) -> None:
        self._size = len(content)
        self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 - its owner calls `close`
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
            raise OSError(f"a file that is being sent has {len(found)} bytes from {start} on instead of {end - start}")
        return found

    def close(self) -> None:
        """Drop the bytes."""
        with suppress(OSError):  # nothing is written that could be lost
            self._file.close()


class AttachmentReader:
    """Reads the files of outgoing mail, for one thread. `folder`: where large files are kept; None: in memory."""

    def __init__(self, store: Store, folder: Path | None) -> None:
        self._store = store
        self._folder = folder
        self._mail: tuple[str, InboundMessage] | None = None
        self._large: dict[str, dict[str, Content]] = {}

    def assembled(self, row: OutboxRow) -> bytes | Outgoing:
        """Return the composed mail of an outbox row with its files. Raises RawMailDamaged."""
        if not row.attachments:
            return bytes(row.raw)
        files = [found for wanted in row.attachments if (found := self._file(wanted)) is not None]
        contents = {digest: content for some in self._large.values() for digest, content in some.items()}
        mail = enclose(bytes(row.raw), files, contents)
        return mail if mail.size > LARGE else bytes(mail)

    def keep_only(self, rows: Iterable[OutboxRow]) -> None:
        """Drop large files that none of these rows has, which are sent next."""
        wanted = {file["raw"] for row in rows for file in row.attachments}
        for raw in self._large.keys() - wanted:
            self._forget(raw)

    def drop_all(self) -> None:
        """Drop everything: nothing more is sent for now."""
        self.keep_only(())
        self._mail = None

    def _forget(self, raw: str) -> None:
        for content in self._large.pop(raw).values():
            if isinstance(content, OnDisk):
                content.close()
        if self._mail is not None and self._mail[0] == raw:
            self._mail = None

    def _file(self, wanted: dict[str, Any]) -> Attachment | None:
        """Return a file, without its content where that is large; None: it was dropped by [storage] keep_raw."""
        message = self._unpacked(wanted["raw"], wanted.get("size", 0))
        found = find_file(message, wanted["sha256"]) if message is not None else None
        # A mail of ours that a person attached, or saved as a page, has its reader's signed address in it.
        masked = mask_tokens(found.content, found.content_type) if found is not None else b""
        return replace(found, content=masked) if found is not None and masked != found.content else found

    def _unpacked(self, sha256: str, size: int) -> InboundMessage | None:
        """Return the mail that a file of so many bytes came in, without its large files, which are kept apart."""
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

    def _lightened(self, message: InboundMessage, large: dict[str, Content]) -> InboundMessage:
        """Return the mail with its large files' bytes moved to `large`, by the digest that they came with."""
        kept = []
        for file in message.attachments:
            if file.size > LARGE and file.sha256 not in large:
                large[file.sha256] = self._kept(mask_tokens(file.content, file.content_type))
            kept.append(file.drop_content() if file.size > LARGE else file)
        return replace(
            message, attachments=tuple(kept), nested=tuple(self._lightened(each, large) for each in message.nested)
        )

    def _kept(self, content: bytes) -> Content:
        if self._folder is None:
            return content
        try:
            return OnDisk(content, self._folder)
        except OSError as error:
            log.warning("a file of %d bytes is kept in memory while it is sent: %s", len(content), error)
            return content


def find_file(message: InboundMessage, sha256: str) -> Attachment | None:
    """Return the attachment with this digest, in the mail itself or in one that is nested in it."""
    for attachment in message.attachments:
        if attachment.sha256 == sha256:
            return attachment
    for nested in message.nested:
        found = find_file(nested, sha256)
        if found is not None:
            return found
    return None
