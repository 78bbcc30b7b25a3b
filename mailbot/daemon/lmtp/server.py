"""The LMTP listener of one desk: an event loop in a thread, a session for each connection.

In: [lmtp] and an open desk. Out: mail for `ReceiveQueue`; replies to the delivering server. If the address can't be
listened on (another process uses it), that is logged once and retried: the delivering server keeps its mail meanwhile.

A mail is assigned to the mailbox that its address belongs to, as if it had been read there: the same program, the same
sender address, the same timers.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailbot.config.values import Listen, UnixSocket
from mailbot.errors import TemporaryError
from mailbot.mail.fetched import FetchedMail
from mailbot.runtime.clock import SystemClock
from mailbot.runtime.logs import Outage
from mailbot.runtime.status import Heartbeat

if TYPE_CHECKING:
    from mailbot.config.model import Settings
    from mailbot.daemon.lmtp.queue import ReceiveQueue
    from mailbot.daemon.lmtp.session import LmtpHandler, ReceivedMail
    from mailbot.desk.wiring import Desk

log = logging.getLogger(__name__)

# A mail above [inbound] max_size is accepted and its sender notified, like one in a mailbox; above this many times that
# size it is rejected, and the sending server notifies the sender.
REFUSED_ABOVE = 2
RETRY_SECONDS = 2.0
# How long the last replies may take when the daemon stops.
LAST_REPLIES = 3.0
# Any 52 bits: a mail received by LMTP has no UID, and UIDVALIDITY 0 is none (RFC 3501 §2.3.1.1).
_UID_BITS = 52


class LmtpServer:
    """Listens for LMTP. `is_canary`: whether a mail is one that the desk sent to itself."""

    def __init__(
        self, desk: Desk, queue: ReceiveQueue, is_canary: Callable[[bytes], bool], listen: Listen | UnixSocket
    ) -> None:
        self._desk = desk
        self._queue = queue
        self._is_canary = is_canary
        self._listen = listen
        self._mailboxes = mailbox_by_address(desk.settings)
        self._ended = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: asyncio.Event | None = None
        self._begun = threading.Event()
        self._unanswered = 0
        self.heartbeat = Heartbeat(desk.clock)
        self._outage = Outage(log, f"LMTP on {listen}", SystemClock())
        self._thread = threading.Thread(target=self._run, name="lmtp", daemon=True)
        self.refused = 0  #: Mails that could not be stored and were answered with 451.

    @property
    def works(self) -> bool:
        """Whether it listens."""
        return self.heartbeat.status.worked_at is not None and self.heartbeat.status.failing_since is None

    def start(self) -> None:
        """Listen; returns at once."""
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Accept no more mail; replies for what was received are still sent."""
        self._ended.set()
        if self._begun.wait(timeout) and self._loop is not None and self._end is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(timeout)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception:
            log.exception("LMTP: stopped by an unexpected error; restart mailbot")
            self.heartbeat.fails("an unexpected fault, which the log shows")
        finally:
            self._begun.set()

    async def _serve(self) -> None:
        from mailbot.daemon.lmtp.session import LmtpHandler, LmtpSession

        loop = self._loop = asyncio.get_running_loop()
        self._end = asyncio.Event()
        self._begun.set()
        profile = self._desk.helpdesk.profile
        handler = LmtpHandler(profile.domain, profile.max_size * REFUSED_ABOVE, self._is_own, self._receive)
        server = await self._bind(lambda: LmtpSession(handler, loop))
        if server is not None and not self._ended.is_set():
            await self._end.wait()
        await self._close(server, handler)

    async def _bind(self, session: Callable[[], Any]) -> asyncio.Server | None:
        """Retry until it listens; return None if the daemon stops before."""
        assert self._end is not None and self._loop is not None
        while not self._ended.is_set():
            try:
                if isinstance(self._listen, UnixSocket):
                    remove_stale_socket(self._listen.path)
                    server = await self._loop.create_unix_server(session, str(self._listen.path))
                    # Processes of our group that may enter the folder may deliver; RFC 2033 §5: nobody else.
                    self._listen.path.chmod(0o660)
                else:
                    server = await self._loop.create_server(session, self._listen.host, self._listen.port)
            except OSError as error:
                why = (
                    f"can't listen ([lmtp] listen): {error.strerror or error}. Retrying; the sending server keeps mail"
                )
                self._outage.failed(why, level=logging.ERROR)
                self.heartbeat.fails(why)
                try:
                    await asyncio.wait_for(self._end.wait(), RETRY_SECONDS)
                except TimeoutError:
                    continue
                return None
            self._outage.recovered()
            self.heartbeat.works()
            log.info("LMTP: listening on %s", self._listen)
            return server
        return None

    async def _close(self, server: asyncio.Server | None, handler: LmtpHandler) -> None:
        if server is not None:
            # Stop accepting, but let connections that were accepted a moment ago reach a session, or they would hang.
            for listening in server.sockets:
                asyncio.get_running_loop().remove_reader(listening.fileno())
            await asyncio.sleep(0.01)
            server.close()
            if isinstance(self._listen, UnixSocket):
                self._listen.path.unlink(missing_ok=True)
        ends = asyncio.get_running_loop().time() + LAST_REPLIES
        while self._unanswered and asyncio.get_running_loop().time() < ends:
            await asyncio.sleep(0.02)
        for _ in range(3):  # a connection that was just accepted becomes a session a moment later
            for session in list(handler.sessions):
                session.leave()
            await asyncio.sleep(0.01)
        for session in list(handler.sessions):
            session.drop()
        await asyncio.sleep(0)

    def _is_own(self, address: str) -> bool:
        return self._desk.helpdesk.profile.is_own(address.lower())

    async def _receive(self, received: ReceivedMail) -> str:
        """Store the mail, then return the reply. A 250 says that it is on the disk (RFC 5321 §4.2.5)."""
        if self._is_canary(received.raw):
            return "250 2.0.0 The canary is back"
        local, _, domain = received.recipients[0].lower().partition("@")
        place = self._mailboxes.get(f"{local.partition('+')[0]}@{domain}", self._mailboxes[""])
        partial = received.size > self._desk.helpdesk.profile.max_size
        mail = FetchedMail(0, secrets.randbits(_UID_BITS), received.raw, received.size, None, partial)
        self._unanswered += 1
        try:
            await asyncio.wrap_future(self._queue.offer(place, mail))
        except TemporaryError as error:
            self.refused += 1
            log.debug("LMTP: %s", error)
            return "451 4.3.0 The mail can't be stored now, try again later"
        except Exception:  # noqa: BLE001 - `ReceiveQueue` has logged it
            self.refused += 1
            return "451 4.3.0 Local fault, try again later"
        finally:
            self._unanswered -= 1
        return "250 2.0.0 Stored"


def mailbox_by_address(settings: Settings) -> dict[str, str]:
    """Return the mailbox for each address of the desk; "" stands for all other addresses."""
    found: dict[str, str] = {}
    for box in settings.mailboxes:
        found.setdefault(box.address or settings.helpdesk.address, box.folder_id)
    default = found.get(settings.helpdesk.address, settings.mailboxes[0].folder_id)
    return dict.fromkeys(settings.helpdesk.addresses, default) | found | {"": default}


def remove_stale_socket(path: Path) -> None:
    """Remove the socket of a process that died. Raises OSError if a process listens on it, or it is no socket."""
    try:
        if not stat.S_ISSOCK(path.stat().st_mode):
            raise FileExistsError(17, f"{path} is there already and no socket")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
    raise FileExistsError(17, f"another process listens on {path}")
