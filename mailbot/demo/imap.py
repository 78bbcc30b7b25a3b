r"""The IMAP server of the demo: pymap's in-memory server on loopback, in a thread of this process.

In: users with their passwords; mail through `append`. Out: a port that any IMAP client can log in to: LOGIN, LIST,
CREATE, SELECT, UID SEARCH/FETCH/STORE/MOVE/COPY/EXPUNGE, APPEND, IDLE (RFC 3501, 2177, 4315 UIDPLUS, 6851 MOVE).
Tests use it too if Dovecot is not installed. Never: an interface other than 127.0.0.1; a file on disk.

Four differences from pymap's own server:
- pymap keeps no reference to the task of a connection. While the task waits in IDLE, only its own frame refers to what
  it waits for, so both may be garbage-collected: "Task was destroyed but it is pending", and the client sees the
  connection close (Python 3.13.0, with gc.collect() at once). Here the server keeps every task.
- pymap writes a response in many small pieces, each a packet of its own; clients that poll the socket in IDLE read half
  a line (imapclient raises "unterminated line"). Here a response is written in one piece.
- pymap's IDLE waits for the next change even if there was one since the last command; here that one ends the wait.
- Folders support keywords (`PERMANENTFLAGS (... \*)`), as nearly all real servers do.
"""

from __future__ import annotations

import asyncio
from argparse import Namespace
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import cast
from uuid import uuid4

from proxyprotocol.sock import SocketInfoLocal
from pymap.backend.dict import Config, Login
from pymap.backend.dict.filter import FilterSet
from pymap.backend.dict.mailbox import MailboxData, MailboxSet
from pymap.concurrent import Event, Subsystem
from pymap.imap import IMAPServer
from pymap.parsing.message import AppendMessage
from pymap.parsing.specials import FetchRequirement, ObjectId
from pymap.parsing.specials.flag import Flag, Wildcard
from pymap.selected import SelectedMailbox
from pymap.user import UserMetadata
from pysasl.hashing import BuiltinHash

from mailbot.demo.background_server import HOST, BackgroundServer


class _Folder(MailboxData):
    """A folder that supports keywords, and whose IDLE misses no change."""

    async def update_selected(self, selected: SelectedMailbox, *, wait_on: Event | None = None) -> SelectedMailbox:
        """Return at once if something has changed since the last command."""
        is_behind = selected.mod_sequence != self._mod_sequences.highest
        return await super().update_selected(selected, wait_on=None if is_behind else wait_on)

    @property
    def permanent_flags(self) -> frozenset[Flag]:
        """All flags, and any keyword."""
        return super().permanent_flags | {Wildcard}


class _Folders(MailboxSet):
    """One user's folders."""

    def __init__(self) -> None:
        super().__init__()
        self._inbox = _Folder(self._content_cache, self._thread_cache)

    async def add_mailbox(self, name: str) -> ObjectId:
        """Create a folder."""
        await super().add_mailbox(name)  # rejects a name that exists; its plain folder is replaced at once
        self._set[name] = folder = _Folder(self._content_cache, self._thread_cache)
        return folder.mailbox_id

    def counts(self) -> dict[str, int]:
        """Return the number of mails in each folder."""
        return {"INBOX": len(self._inbox._messages)} | {name: len(f._messages) for name, f in self._set.items()}


class _WholeResponses:
    """What pymap uses of a StreamWriter; writes everything between two `drain` in one piece."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._pieces: list[bytes] = []
        self.close = writer.close
        self.get_extra_info = writer.get_extra_info

    def write(self, data: bytes | memoryview) -> None:
        """Buffer the data."""
        self._pieces.append(bytes(data))

    async def drain(self) -> None:
        """Write what was buffered."""
        self._writer.write(b"".join(self._pieces))
        self._pieces.clear()
        await self._writer.drain()


class EmbeddedImap(BackgroundServer):
    """An IMAP server on `127.0.0.1`. `users`: name → password. `port` 0: a free one, known after `start`."""

    def __init__(self, users: Mapping[str, str], port: int = 0) -> None:
        super().__init__("demo-imap", port)
        self._users = dict(users)
        self._folders: dict[str, _Folders] = {}
        self._connections: set[asyncio.Task[None]] = set()
        self._imap: IMAPServer | None = None

    def append(self, raw: bytes, user: str, folder: str = "INBOX", at: datetime | None = None) -> None:
        """Deliver a mail into a folder; `at` becomes its INTERNALDATE (default: now)."""
        self.call(self._append(raw, user, folder, at or datetime.now(UTC)))

    def counts(self, user: str) -> dict[str, int]:
        """Return each folder of the user with the number of its mails."""
        return self.call(self._counts(user))

    def raw_messages(self, user: str, folder: str = "INBOX") -> list[bytes]:
        """Return the mails of a folder in the order of their UIDs; [] if there is no such folder."""
        return self.call(self._raw_messages(user, folder))

    async def opening(self) -> asyncio.Server:
        """Listen."""
        # Passwords of a demo need no costly hash, and no thread pool to compute it.
        config = Config(
            Namespace(passlib_cfg=None, proxy_protocol=None),
            host=HOST,
            port=self.port,
            tls_enabled=False,
            hash_context=BuiltinHash(rounds=1),
            cpu_subsystem=Subsystem.for_asyncio(),
            reject_dnsbl=False,
            demo_data=False,
            demo_user="",
            demo_password="",
        )
        config.apply_context()
        login = Login(config)
        for name, password in self._users.items():
            login.users_dict[name] = UserMetadata(config, name, password=config.hash_context.hash(password))
            self._folders[name] = _Folders()
            config.set_cache[name] = (self._folders[name], FilterSet())
        self._imap = IMAPServer(login, config)
        return await asyncio.start_server(self._connected, HOST, self.port)

    async def closing(self) -> None:
        """Close every connection."""
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        assert self._imap is not None
        self._connections.add(task)  # the first difference: see the module's docstring
        try:
            whole = cast(asyncio.StreamWriter, _WholeResponses(writer))  # the second
            await self._imap(reader, whole, SocketInfoLocal(writer, unique_id=uuid4().bytes))
        except (ConnectionError, asyncio.CancelledError):
            return  # the client disconnected, or the server is being stopped
        finally:
            self._connections.discard(task)

    async def _append(self, raw: bytes, user: str, folder: str, at: datetime) -> None:
        target = await self._folders[user].get_mailbox(folder)
        await target.append(AppendMessage(raw, at, frozenset()), recent=True)

    async def _counts(self, user: str) -> dict[str, int]:
        return self._folders[user].counts()

    async def _raw_messages(self, user: str, folder: str) -> list[bytes]:
        if folder not in self._folders[user].counts():
            return []
        found = []
        async for message in (await self._folders[user].get_mailbox(folder)).messages():
            content = await message.load_content(FetchRequirement.CONTENT)
            found.append(bytes(content.get_body(binary=True)))
        return found
