"""The IMAP server of the demo: pymap's in-memory server on loopback, in a thread of this process.

In: users with their passwords; mail through `append`. Out: a port that any IMAP client can log in to: LOGIN, LIST,
CREATE, SELECT, UID SEARCH/FETCH/STORE/MOVE/COPY/EXPUNGE, APPEND, IDLE (RFC 3501, 2177, 4315 UIDPLUS, 6851 MOVE).
Tests use it too where no Dovecot is installed. Never: another interface than 127.0.0.1; anything on disk.

Four things are done otherwise than by pymap's own start-up:
- pymap hands each connection to a task that nothing holds on to. While it waits in IDLE, only its own frame refers to
  what it waits for, so a garbage collection may take both: "Task was destroyed but it is pending", and the client sees
  the connection end (Python 3.13.0, with gc.collect() at once). Here the server keeps every task.
- pymap writes a response in many small pieces, each a packet of its own; clients that look at the socket in IDLE see
  half a line (imapclient raises "unterminated line"). Here a response goes out whole.
- IDLE waits for the next change even where one has come since the last command; here that one ends the wait at once.
- Folders keep keywords (`PERMANENTFLAGS (... \\*)`), as nearly all real servers do.
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
    """A folder that keeps keywords, and whose IDLE misses nothing."""

    async def update_selected(self, selected: SelectedMailbox, *, wait_on: Event | None = None) -> SelectedMailbox:
        is_behind = selected.mod_sequence != self._mod_sequences.highest
        return await super().update_selected(selected, wait_on=None if is_behind else wait_on)

    @property
    def permanent_flags(self) -> frozenset[Flag]:
        return super().permanent_flags | {Wildcard}


class _Folders(MailboxSet):
    """One user's folders."""

    def __init__(self) -> None:
        super().__init__()
        self._inbox = _Folder(self._content_cache, self._thread_cache)

    async def add_mailbox(self, name: str) -> ObjectId:
        identity = await super().add_mailbox(name)  # refuses a name that exists
        self._set[name] = folder = _Folder(self._content_cache, self._thread_cache)
        del identity  # of the plain folder that was just replaced, before anybody saw it
        return folder.mailbox_id

    def counts(self) -> dict[str, int]:
        """Mails in each folder."""
        return {"INBOX": len(self._inbox._messages)} | {name: len(f._messages) for name, f in self._set.items()}


class _WholeResponses:
    """What pymap uses of a StreamWriter, with all that is written between two `drain` in one piece."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._pieces: list[bytes] = []
        self.close = writer.close
        self.get_extra_info = writer.get_extra_info

    def write(self, data: bytes | memoryview) -> None:
        self._pieces.append(bytes(data))

    async def drain(self) -> None:
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
        """Put a mail into a folder, as a mail server's delivery would; `at` becomes its INTERNALDATE (default: now)."""
        self.call(self._append(raw, user, folder, at or datetime.now(UTC)))

    def counts(self, user: str) -> dict[str, int]:
        """Each folder of the user with the number of mails in it."""
        return self.call(self._counts(user))

    def raw_messages(self, user: str, folder: str = "INBOX") -> list[bytes]:
        """The mails of a folder, in the order of their UIDs; [] where there is no such folder."""
        return self.call(self._raw_messages(user, folder))

    async def opening(self) -> asyncio.Server:
        # Passwords of a demo need no costly hash, and no pool of threads to compute it.
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
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        assert self._imap is not None
        self._connections.add(task)  # the first mend: see the module's docstring
        try:
            whole = cast(asyncio.StreamWriter, _WholeResponses(writer))  # the second
            await self._imap(reader, whole, SocketInfoLocal(writer, unique_id=uuid4().bytes))
        except (ConnectionError, asyncio.CancelledError):
            return  # the client went away, or the server is being stopped: the connection ends, nothing else
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
            loaded = await message.load_content(FetchRequirement.CONTENT)
            found.append(bytes(loaded.get_body(binary=True)))
        return found
