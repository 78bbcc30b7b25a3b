"""The LMTP listener of one desk: an event loop in a thread, a session for each connection.

In: [lmtp] and an open desk. Out: mail for `ReceiveQueue`; answers for the server that delivers. While the address can't be
listened on (another process has it) that is said once and tried again: the delivering server keeps its mail meanwhile.

A mail goes under the mailbox that its address belongs to, as if it had been read there: the same program, the same
address to write from, and the same timers wait for it.
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
    from mailbot.daemon.lmtp.session import Door, ReceivedMail
    from mailbot.desk.wiring import Desk

log = logging.getLogger(__name__)

# A mail above [inbound] max_size is taken in and its sender told, like one in a mailbox; above so many times that
# size it is refused, and the sending server tells the sender.
REFUSED_ABOVE = 2
RETRY_SECONDS = 2.0
# How long a mail in hand may take when the daemon ends.
LAST_ANSWERS = 3.0
# Any 52 bits: a mail that came by LMTP has no UID, and UIDVALIDITY 0 is none (RFC 3501 §2.3.1.1).
_UID_BITS = 52


class LmtpServer:
    """The door. `canary`: is this mail one that the desk sent to itself?"""

    title = "LMTP"

    def __init__(
        self, desk: Desk, taking_in: ReceiveQueue, canary: Callable[[bytes], bool], listen: Listen | UnixSocket
    ) -> None:
        self._desk = desk
        self._taking_in = taking_in
        self._canary = canary
        self._listen = listen
        self._places = places(desk.settings)
        self._ended = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: asyncio.Event | None = None
        self._begun = threading.Event()
        self._in_hand = 0
        self.pulse = Heartbeat(desk.clock)
        self._outage = Outage(log, f"LMTP on {listen}", SystemClock())
        self._thread = threading.Thread(target=self._run, name="lmtp", daemon=True)
        self.taken = 0
        """Mails that were answered with 250 since the start."""
        self.refused = 0
        """Mails that could not be stored and were answered with 451."""

    @property
    def works(self) -> bool:
        """Does it listen?"""
        return self.pulse.status.worked_at is not None and self.pulse.status.failing_since is None

    def start(self) -> None:
        """Listen; returns at once."""
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Take no more; answers for mail in hand still go out."""
        self._ended.set()
        if self._begun.wait(timeout) and self._loop is not None and self._end is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(timeout)

    def is_alive(self) -> bool:
        """Does the thread run?"""
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception:
            log.exception("LMTP: an unexpected fault ended it; restart mailbot")
            self.pulse.fails("an unexpected fault, which the log shows")
        finally:
            self._begun.set()

    async def _serve(self) -> None:
        from mailbot.daemon.lmtp.session import Door, LmtpSession

        loop = self._loop = asyncio.get_running_loop()
        self._end = asyncio.Event()
        self._begun.set()
        profile = self._desk.helpdesk.profile
        door = Door(profile.domain, profile.max_size * REFUSED_ABOVE, self._is_ours, self._take)
        server = await self._bound(lambda: LmtpSession(door, loop))
        if server is not None and not self._ended.is_set():
            await self._end.wait()
        await self._close(server, door)

    async def _bound(self, session: Callable[[], Any]) -> asyncio.Server | None:
        """Listening, at last; None where the daemon ends before."""
        assert self._end is not None and self._loop is not None
        while not self._ended.is_set():
            try:
                if isinstance(self._listen, UnixSocket):
                    clear_away(self._listen.path)
                    server = await self._loop.create_unix_server(session, str(self._listen.path))
                    # Who may enter the folder and is of our group may deliver; RFC 2033 §5: nobody else.
                    self._listen.path.chmod(0o660)
                else:
                    server = await self._loop.create_server(session, self._listen.host, self._listen.port)
            except OSError as error:
                why = f"can't listen ([lmtp] listen): {error.strerror or error}. Tried again; mail waits at its server"
                self._outage.failed(why, level=logging.ERROR)
                self.pulse.fails(why)
                try:
                    await asyncio.wait_for(self._end.wait(), RETRY_SECONDS)
                except TimeoutError:
                    continue
                return None
            self._outage.recovered()
            self.pulse.works()
            log.info("LMTP: listening on %s", self._listen)
            return server
        return None

    async def _close(self, server: asyncio.Server | None, door: Door) -> None:
        if server is not None:
            for door_socket in server.sockets:  # whoever was let in a moment ago must find a server, or is left hanging
                asyncio.get_running_loop().remove_reader(door_socket.fileno())
            await asyncio.sleep(0.01)
            server.close()
            if isinstance(self._listen, UnixSocket):
                self._listen.path.unlink(missing_ok=True)
        ends = asyncio.get_running_loop().time() + LAST_ANSWERS
        while self._in_hand and asyncio.get_running_loop().time() < ends:
            await asyncio.sleep(0.02)
        for _ in range(3):  # one that was just let in shows itself a moment later
            for session in list(door.sessions):
                session.leave()
            await asyncio.sleep(0.01)
        for session in list(door.sessions):
            session.drop()
        await asyncio.sleep(0)

    def _is_ours(self, address: str) -> bool:
        return self._desk.helpdesk.profile.is_own(address.lower())

    async def _take(self, letter: ReceivedMail) -> str:
        """Store, then the answer. A 250 says that the mail is on the disk (RFC 5321 §4.2.5)."""
        if self._canary(letter.raw):
            return "250 2.0.0 The canary is back"
        local, _, domain = letter.recipients[0].lower().partition("@")
        place = self._places.get(f"{local.partition('+')[0]}@{domain}", self._places[""])
        partial = letter.size > self._desk.helpdesk.profile.max_size
        arrival = FetchedMail(0, secrets.randbits(_UID_BITS), letter.raw, letter.size, None, partial)
        self._in_hand += 1
        try:
            await asyncio.wrap_future(self._taking_in.offer(place, arrival))
        except TemporaryError as error:
            self.refused += 1
            log.debug("LMTP: %s", error)
            return "451 4.3.0 The mail can't be stored now, try again later"
        except Exception:  # noqa: BLE001 - `ReceiveQueue` has logged it
            self.refused += 1
            return "451 4.3.0 Local fault, try again later"
        finally:
            self._in_hand -= 1
        self.taken += 1
        return "250 2.0.0 Stored"


def places(settings: Settings) -> dict[str, str]:
    """For each address of the desk the mailbox whose mail it is; "" stands for all others."""
    found: dict[str, str] = {}
    for box in settings.mailboxes:
        found.setdefault(box.address or settings.helpdesk.address, box.place)
    default = found.get(settings.helpdesk.address, settings.mailboxes[0].place)
    return dict.fromkeys(settings.helpdesk.addresses, default) | found | {"": default}


def clear_away(path: Path) -> None:
    """Remove the socket of a process that died. OSError where somebody listens, or where it is no socket."""
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
