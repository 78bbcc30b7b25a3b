"""IMAP in: the door. Whatever mailbot wants from a mail server goes through `Mailbox`; the parts are in mailbot/imap.

In: the section `[imap]` of the configuration. Out: `FetchedMail`s in batches; mail filed where it belongs; a wait that ends
when mail comes. Standards: RFC 3501 and those that the parts name.

    mailbox.open() → uids() → fetch(uids) → … stored … → file({uid: Place.PROCESSED}) → wait(30, wake) → uids() → …

Every fault of network or server is `MailboxUnavailable`; the connection is then closed, and `open()` starts anew. The
caller decides how long to wait in between. One thread uses a `Mailbox`; `interrupt()` may come from another.
Never: set \\Seen; delete a mail that was not copied; remember anything that is needed after a restart.
"""

from __future__ import annotations

import imaplib
import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mailbot.errors import FilingRefused, MailboxUnavailable
from mailbot.mail.fetched import (
    FetchedMail,
    Folder,
    Misfiled,
)
from mailbot.runtime.memory import receiving_large_mail
from mailbot.transport.imap import (
    fetch,
    folders,
    idle,
    move,
    suspects,
    unquarantine,
)
from mailbot.transport.imap.connection import ALLOWANCE, Client
from mailbot.transport.imap.idle import WakeUp
from mailbot.transport.imap.login import (
    PATIENCE,
    connect,
    drop,
    network_faults,
    place,
    server_words,
)
from mailbot.transport.oauth import TokenSource
from mailbot.transport.tls import certificate_ends

if TYPE_CHECKING:
    from datetime import datetime

    from mailbot.config.model import ImapSettings
from mailbot.config.model import Settings

log = logging.getLogger(__name__)

# SELECT again after this many seconds: only SELECT tells of a new UIDVALIDITY (RFC 3501 §2.3.1.1).
SELECT_EVERY = 600.0
# Seconds that SELECT may take, as long as the server says now and then that it is at work: Dovecot makes the index of a
# folder that it did not know, which took two minutes with a hundred thousand mails on a busy machine.
OPENING = 900.0


class Mailbox:
    """One folder on one IMAP server.

    `max_size`: bytes; of a larger mail only the header is read. `batch_bytes`, `batch_count`: the most that `fetch`
    holds at a time (a mail above `batch_bytes` comes alone). `patience`: seconds of silence after which a server that
    owes an answer counts as dead.
    """

    def __init__(
        self,
        settings: ImapSettings,
        *,
        max_size: int,
        batch_bytes: int = 8 * 1024 * 1024,
        batch_count: int = 50,
        patience: float = PATIENCE,
        logger: logging.Logger = log,
    ) -> None:
        self._settings = settings
        self._max_size = max_size
        self._batch_bytes = batch_bytes
        self._batch_count = batch_count
        self._ahead: Future[None] | None = None
        self._patience = patience
        self._log = logger
        self._tokens = TokenSource.of(settings, settings.section)
        self._client: Client | None = None
        self._filing: move.Filing
        self._places: dict[Folder, str] = {}
        self._source = ""
        self._uidvalidity = 0
        self._uid_next = 0
        self._keywords = False
        self._selected_at = 0.0
        self._suspects = suspects.Suspects()
        # Whether the last `wait` ended at once, since a mail was told of in the answer to SEARCH, FETCH or MOVE, and no
        # mail was found since. IDLE would not tell of it again: it would lie there until the next poll.
        self._hurried = False

    @property
    def uidvalidity(self) -> int:
        """UIDVALIDITY of the folder as last seen; 0 before the first `open`."""
        return self._uidvalidity

    @property
    def active_at(self) -> float:
        """When the server was last heard (time.monotonic); 0.0 without a connection. A long transfer moves it on."""
        client = self._client
        return client.wire.heard_at if client is not None else 0.0

    @property
    def certificate_ends(self) -> datetime | None:
        """When the server's certificate ends; None without TLS or connection."""
        client = self._client
        return certificate_ends(client.wire.sock) if client is not None else None

    def open_ahead(self) -> None:
        """Begin to open it in a thread, and return at once: the next `open()` has the outcome."""
        outcome = self._ahead = Future[None]()

        def begin() -> None:
            try:
                self._open()
            except BaseException as error:  # noqa: BLE001 - raised where the outcome is asked for
                outcome.set_exception(error)
            else:
                outcome.set_result(None)

        threading.Thread(target=begin, name="opens ahead", daemon=True).start()

    def open(self) -> None:
        """Connect, log in, make sure of the folders, select. An open connection is closed first."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            ahead.result()
        else:
            self._open()

    def _open(self) -> None:
        self.close()
        self._client = connect(self._settings, self._tokens, self._patience)
        with self._guard("looking at the folders") as client:
            how = folders.naming(client)
            self._source = folders.source(client, self._settings, how)
            wanted = {
                Folder.PROCESSED: ("processed_folder", self._settings.processed_folder),
                Folder.QUARANTINE: ("quarantine_folder", self._settings.quarantine_folder),
            }
            self._places = {
                where: folders.ensure(client, self._settings, key, name, how)
                for where, (key, name) in wanted.items()
                if name
            }
            self._select(client)
            self._filing = move.Filing(client, self._source, self._uid_next)
        if len(self._places) < len(Folder) and not self._keywords:
            self._log.warning(
                "%s: %s keeps no keywords, so mail that stays in place can't be marked as done: it is recognised by "
                "its UID alone, and all of it is listed at each look. Set imap.processed_folder.",
                place(self._settings),
                self._source,
            )

    def _select(self, client: Client) -> None:
        client.wire.allowance = OPENING
        try:
            selected = client.select_folder(self._source)
        finally:
            client.wire.allowance = ALLOWANCE
        validity = int(selected.get(b"UIDVALIDITY", 0))
        if self._uidvalidity and validity != self._uidvalidity:
            self._log.warning(
                "%s: the UIDs of %s were given anew (UIDVALIDITY %d → %d): all its mail is looked at again",
                place(self._settings),
                self._source,
                self._uidvalidity,
                validity,
            )
            self._suspects.forget()
        self._uidvalidity = validity
        self._uid_next = int(selected.get(b"UIDNEXT", 2**32))
        self._keywords = move.keeps_keywords(selected)
        client.wire.forget()
        client.wire.grown = False  # SELECT's own EXISTS is no news: whoever selects searches next
        self._selected_at = time.monotonic()

    def uids(self, after: int = 0) -> tuple[int, list[int]]:
        """(UIDVALIDITY, UIDs of all mail that is not done, ascending), as the server has it at this moment.

        `after`: only those above this UID.
        """
        with self._guard("searching") as client:
            if time.monotonic() - self._selected_at > SELECT_EVERY:
                self._select(client)
            else:
                client.noop()  # without it Dovecot's SEARCH sees a new mail one look late
                client.wire.forget()
            client.wire.grown = False  # the search below finds it
            criteria = "UNDELETED"
            if len(self._places) < len(Folder) and self._keywords:
                criteria += f" UNKEYWORD {move.DONE}"
            if after:
                criteria = f"UID {after + 1}:* {criteria}"
            found = fetch.search(client, criteria)
            # RFC 3501 §6.4.8: with fewer mails than that, "n:*" is the last one
            return self._uidvalidity, [uid for uid in found if uid > after] if after else found

    def fetch(self, uids: Sequence[int]) -> Iterator[list[FetchedMail]]:
        """The mails of `uids` in batches; what vanished meanwhile is left out.

        A mail during whose transfer the connection broke comes last the next time, so that it can't keep the others
        back for long.
        """
        for some in self._suspects.order(uids, time.monotonic()):
            small = self._small_ones(some) if len(some) <= fetch.FEW else []
            if small:
                yield small
            there = {arrival.uid for arrival in small}
            if len(there) < len(some):
                yield from self._by_size([uid for uid in some if uid not in there])

    def _small_ones(self, uids: Sequence[int]) -> list[FetchedMail]:
        with self._blaming(uids), self._guard("fetching mail") as client:
            found = fetch.small_ones(client, self._uidvalidity, uids, self._max_size)
        if found:
            self._suspects.clear([arrival.uid for arrival in found])
            self._hurried = False
        return found

    def _by_size(self, uids: Sequence[int]) -> Iterator[list[FetchedMail]]:
        with self._blaming(uids), self._guard("asking for sizes") as client:
            known = fetch.sizes(client, uids)
        for group in fetch.batches(known, self._batch_bytes, self._batch_count, self._max_size):
            partial = known[group[0]] > self._max_size
            with receiving_large_mail(
                0 if partial else max(known[uid] for uid in group)
            ):  # until the next one is asked for
                with self._blaming(group), self._guard("fetching mail") as client:
                    found = fetch.arrivals(client, self._uidvalidity, group, known, partial)
                self._suspects.clear(group)
                if found:
                    self._hurried = False
                    yield found
                found = []  # nobody needs it here while the next is fetched

    def heads(self, uids: Sequence[int], fields: Sequence[str]) -> dict[int, bytes]:
        """These header fields of each mail that is still there, by UID."""
        with self._guard("reading headers") as client:
            return fetch.heads(client, uids, fields)

    @contextmanager
    def _blaming(self, group: Sequence[int]) -> Iterator[None]:
        """If the connection breaks in here, these mails may be to blame."""
        connected = self._client is not None
        try:
            yield
        except MailboxUnavailable:
            for uid in self._suspects.blame(group, time.monotonic()) if connected else ():
                self._log.error(
                    "%s: the mail with UID %d in %s could not be fetched in %d attempts; it stays there and is tried "
                    "less and less often, at least every hour. Look at it with a mail client, or at the server's log.",
                    place(self._settings),
                    uid,
                    self._source,
                    suspects.TRIES,
                )
            raise

    def file(self, places: Mapping[int, Folder], *, uidvalidity: int | None = None) -> None:
        """Move each UID to its place; what is not there any more counts as filed. FilingRefused: the server won't.

        `uidvalidity`: the one under which the UIDs were seen. Where it is not the folder's any more, nothing is done:
        the numbers mean other mails now.
        """
        if uidvalidity is not None and uidvalidity != self._uidvalidity:
            self._log.warning(
                "%s: %d mails stay unfiled: their UIDs are of an older UIDVALIDITY", place(self._settings), len(places)
            )
            return
        with self._filing_mail() as client:
            self._file_each(client, places)

    def retrieve(self, mails: Sequence[Misfiled]) -> set[int]:
        """Move what was let out of quarantine to the processed folder; the ids of what was found. FilingRefused: as

        above. Where one of the two folders is not used, nothing has to be moved, and all are "found".
        """
        target = self._places.get(Folder.PROCESSED)
        lies_in = self._places.get(Folder.QUARANTINE, self._source)
        if target is None or lies_in == target:
            return {mail.inbound_id for mail in mails}
        found: set[int] = set()
        with self._filing_mail() as client:
            try:
                found.update(unquarantine.move(client, mails, lies_in, target))
            except imaplib.IMAP4.abort:
                raise  # no connection to select anything on
            except imaplib.IMAP4.error:
                self._select(client)
                raise
            self._select(client)
            client.wire.grown = True  # nobody has searched since: what came meanwhile must not wait
        return found

    @contextmanager
    def _filing_mail(self) -> Iterator[Client]:
        """A server's refusal in here is `FilingRefused`."""
        refusal: imaplib.IMAP4.error | None = None
        with self._guard("filing mail") as client:
            try:
                yield client
            except imaplib.IMAP4.abort:
                raise  # the connection is gone
            except imaplib.IMAP4.error as error:
                if move.folder_is_gone(error):
                    raise  # opening anew makes the folder
                refusal = error
            client.wire.forget()
        if refusal is not None:
            raise FilingRefused(
                f"{place(self._settings)}: filing mail was refused: {server_words(refusal).rstrip('.')}. "
                f"{move.mend(refusal)} New mail is handled all the same; "
                f"what was handled is moved out of {self._source} when the server lets it."
            ) from refusal

    def _file_each(self, client: Client, places: Mapping[int, Folder]) -> None:
        for where in Folder:
            uids = [uid for uid, wanted in places.items() if wanted is where]
            if not uids:
                continue
            if where in self._places:
                self._filing.move(uids, self._places[where])
            elif self._keywords:
                move.mark(client, uids)

    def wait(self, timeout: float, wake: WakeUp, *, brisk: float = 0.0) -> bool:
        """Wait at most `timeout` seconds; True where the server signalled a change. Ends early when `wake` rings.

        `brisk`: so many seconds of it, more mail is likely to come (`waiting.brisk`).
        """
        with self._guard("waiting for mail") as client:
            client.wire.forget()
            if client.wire.grown and not self._hurried:
                self._hurried = True  # once in a row: some servers repeat EXISTS with every answer
                return True
            if self._settings.idle and client.has_capability("IDLE"):
                changed = idle.brisk(client, min(brisk, timeout), wake) if brisk > 0 else None
                if changed is not None:
                    return changed
                return idle.idle(client, timeout, wake)
        wake.wait(timeout)
        return False

    def interrupt(self) -> None:
        """End what another thread does here with a network fault (at shutdown, when the server hangs)."""
        if self._client is not None:
            self._client.interrupt()

    def close(self) -> None:
        """Log out, if there is anybody to say goodbye to."""
        client, self._client = self._client, None
        if client is None:
            return
        try:
            with network_faults(self._settings, "logging out"):
                client.wire.allowance = 5.0
                client.logout()
        except MailboxUnavailable as error:
            self._log.debug("%s", error)
        finally:
            drop(client)

    @contextmanager
    def _guard(self, doing: str) -> Iterator[Client]:
        """The open connection; a fault closes it, since nobody knows what it would answer next."""
        if self._client is None:
            raise MailboxUnavailable(f"{place(self._settings)}: not connected while {doing}.")
        try:
            with network_faults(self._settings, doing):
                yield self._client
        except MailboxUnavailable:
            client, self._client = self._client, None
            if client is not None:
                drop(client)
            raise


def open_ahead(settings: Settings) -> dict[str, Mailbox]:
    """Begin to open every inbox of a SQLite desk; returns at once."""
    if settings.database_url.startswith("postgres"):
        return {}
    found = {box.place: Mailbox(box, max_size=settings.inbound.max_size) for box in settings.mailboxes}
    for mailbox in found.values():
        mailbox.open_ahead()
    return found
