r"""One folder on an IMAP server: everything that mailbot does there goes through `Mailbox`.

In: the section `[imap]` of the configuration. Out: `FetchedMail`s in batches; mail moved to where it belongs; a wait
that ends when mail arrives. Standards: RFC 3501 and those named by the other modules of this package.

    mailbox.open() → uids() → fetch(uids) → … stored … → file({uid: Folder.PROCESSED}) → wait(30, wake) → uids() → …

Every error of the network or the server is `MailboxUnavailable`; the connection is then closed, and `open()` makes a
new one. The caller decides how long to wait in between. One thread uses a `Mailbox`; `interrupt()` may come from
another.
Never: sets \Seen; deletes a mail that was not copied; remembers anything that is needed after a restart.
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
from mailbot.mail.fetched import FetchedMail, Folder, Misfiled
from mailbot.runtime.memory import receiving_large_mail
from mailbot.transport.imap import fetch, folders, idle, move, suspects, unquarantine
from mailbot.transport.imap.connection import ALLOWANCE, Client
from mailbot.transport.imap.idle import WakeUp
from mailbot.transport.imap.login import READ_TIMEOUT, connect, drop, network_faults, server_name, server_words
from mailbot.transport.oauth import TokenSource
from mailbot.transport.tls import certificate_ends

if TYPE_CHECKING:
    from datetime import datetime

    from mailbot.config.model import ImapSettings, Settings

log = logging.getLogger(__name__)

# SELECT again after this many seconds: only SELECT shows a new UIDVALIDITY (RFC 3501 §2.3.1.1).
SELECT_EVERY = 600.0
# Seconds that SELECT may take, as long as the server sends something now and then: Dovecot builds the index of a folder
# that it did not know, which took two minutes for a hundred thousand mails on a busy machine.
SELECT_SECONDS = 900.0


class Mailbox:
    """One folder on one IMAP server.

    `max_size`: bytes; of a larger mail only the header is read. `batch_bytes`, `batch_count`: the most that `fetch`
    returns at a time (a mail above `batch_bytes` comes alone). `timeout`: seconds of silence after which a server that
    owes an answer counts as dead.
    """

    def __init__(
        self,
        settings: ImapSettings,
        *,
        max_size: int,
        batch_bytes: int = 8 * 1024 * 1024,
        batch_count: int = 50,
        timeout: float = READ_TIMEOUT,
    ) -> None:
        self._settings = settings
        self._max_size = max_size
        self._batch_bytes = batch_bytes
        self._batch_count = batch_count
        self._opening: Future[None] | None = None
        self._timeout = timeout
        self._tokens = TokenSource.of(settings, settings.section)
        self._client: Client | None = None
        self._mover: move.Mover
        self._targets: dict[Folder, str] = {}
        self._source = ""
        self._uidvalidity = 0
        self._uid_next = 0
        self._keywords = False
        self._selected_at = 0.0
        self._suspects = suspects.Suspects()
        # Whether the last `wait` returned at once, since the answer to a SEARCH, FETCH or MOVE announced a mail, and no
        # mail was found since. IDLE would not announce it again: it would wait for the next poll.
        self._returned_at_once = False

    @property
    def uidvalidity(self) -> int:
        """UIDVALIDITY of the folder as last seen; 0 before the first `open`."""
        return self._uidvalidity

    @property
    def active_at(self) -> float:
        """When the server last sent something (time.monotonic), even within a transfer; 0.0 without a connection."""
        client = self._client
        return client.wire.heard_at if client is not None else 0.0

    @property
    def certificate_ends(self) -> datetime | None:
        """When the server's certificate expires; None without TLS or connection."""
        client = self._client
        return certificate_ends(client.wire.sock) if client is not None else None

    def open_ahead(self) -> None:
        """Start opening in a thread, and return at once: the next `open()` waits for it and has its result."""
        opening = self._opening = Future[None]()

        def run() -> None:
            try:
                self._open()
            except BaseException as error:  # noqa: BLE001 - raised by `open`
                opening.set_exception(error)
            else:
                opening.set_result(None)

        threading.Thread(target=run, name="open-ahead", daemon=True).start()

    def open(self) -> None:
        """Connect, log in, create missing folders, select. An open connection is closed first."""
        opening, self._opening = self._opening, None
        if opening is not None:
            opening.result()
        else:
            self._open()

    def _open(self) -> None:
        self.close()
        self._client = connect(self._settings, self._tokens, self._timeout)
        with self._guard("looking at the folders") as client:
            naming = folders.naming(client)
            self._source = folders.source(client, self._settings, naming)
            wanted = {
                Folder.PROCESSED: ("processed_folder", self._settings.processed_folder),
                Folder.QUARANTINE: ("quarantine_folder", self._settings.quarantine_folder),
            }
            self._targets = {
                folder: folders.ensure(client, self._settings, key, name, naming)
                for folder, (key, name) in wanted.items()
                if name
            }
            self._select(client)
            self._mover = move.Mover(client, self._source, self._uid_next)
        if len(self._targets) < len(Folder) and not self._keywords:
            log.warning(
                "%s: %s keeps no keywords, so mail that stays there can't be marked as done: it is recognised by its "
                "UID alone, and all of it is listed in each pass. Set imap.processed_folder.",
                server_name(self._settings),
                self._source,
            )

    def _select(self, client: Client) -> None:
        client.wire.allowance = SELECT_SECONDS
        try:
            selected = client.select_folder(self._source)
        finally:
            client.wire.allowance = ALLOWANCE
        validity = int(selected.get(b"UIDVALIDITY", 0))
        if self._uidvalidity and validity != self._uidvalidity:
            log.warning(
                "%s: the UIDs of %s were reassigned (UIDVALIDITY %d → %d): all its mail is checked again",
                server_name(self._settings),
                self._source,
                self._uidvalidity,
                validity,
            )
            self._suspects.forget()
        self._uidvalidity = validity
        self._uid_next = int(selected.get(b"UIDNEXT", 2**32))
        self._keywords = move.keeps_keywords(selected)
        client.wire.forget()
        client.wire.grown = False  # SELECT's own EXISTS is no news: the caller searches next
        self._selected_at = time.monotonic()

    def uids(self, after: int = 0) -> tuple[int, list[int]]:
        """Return (UIDVALIDITY, UIDs of all mail that is not done, ascending). `after`: only those above this UID."""
        with self._guard("searching") as client:
            if time.monotonic() - self._selected_at > SELECT_EVERY:
                self._select(client)
            else:
                client.noop()  # without it Dovecot's SEARCH finds a new mail one call late
                client.wire.forget()
            client.wire.grown = False  # the search below finds it
            criteria = "UNDELETED"
            if len(self._targets) < len(Folder) and self._keywords:
                criteria += f" UNKEYWORD {move.DONE}"
            if after:
                criteria = f"UID {after + 1}:* {criteria}"
            found = fetch.search(client, criteria)
            # RFC 3501 §6.4.8: if all UIDs are below n, "n:*" is the last one
            return self._uidvalidity, [uid for uid in found if uid > after] if after else found

    def fetch(self, uids: Sequence[int]) -> Iterator[list[FetchedMail]]:
        """Fetch mails in batches; what vanished meanwhile is left out.

        A mail during whose transfer the connection broke is fetched last the next time, so that it can't block the
        others for long.
        """
        for some in self._suspects.order(uids, time.monotonic()):
            small = self._fetch_small(some) if len(some) <= fetch.FEW else []
            if small:
                yield small
            fetched = {mail.uid for mail in small}
            if len(fetched) < len(some):
                yield from self._fetch_by_size([uid for uid in some if uid not in fetched])

    def _fetch_small(self, uids: Sequence[int]) -> list[FetchedMail]:
        with self._blaming(uids), self._guard("fetching mail") as client:
            found = fetch.small_ones(client, self._uidvalidity, uids, self._max_size)
        if found:
            self._suspects.clear([mail.uid for mail in found])
            self._returned_at_once = False
        return found

    def _fetch_by_size(self, uids: Sequence[int]) -> Iterator[list[FetchedMail]]:
        with self._blaming(uids), self._guard("asking for sizes") as client:
            size_of = fetch.sizes(client, uids)
        for group in fetch.batches(size_of, self._batch_bytes, self._batch_count, self._max_size):
            partial = size_of[group[0]] > self._max_size
            largest = 0 if partial else max(size_of[uid] for uid in group)
            with receiving_large_mail(largest):  # until the next batch is requested
                with self._blaming(group), self._guard("fetching mail") as client:
                    found = fetch.fetch_batch(client, self._uidvalidity, group, size_of, partial)
                self._suspects.clear(group)
                if found:
                    self._returned_at_once = False
                    yield found
                found = []  # freed before the next is fetched

    def heads(self, uids: Sequence[int], fields: Sequence[str]) -> dict[int, bytes]:
        """Fetch these header fields of each mail that still exists, by UID."""
        with self._guard("reading headers") as client:
            return fetch.heads(client, uids, fields)

    @contextmanager
    def _blaming(self, group: Sequence[int]) -> Iterator[None]:
        """Suspect these mails if the connection breaks in the body of the `with`."""
        connected = self._client is not None
        try:
            yield
        except MailboxUnavailable:
            for uid in self._suspects.blame(group, time.monotonic()) if connected else ():
                log.error(
                    "%s: the mail with UID %d in %s could not be fetched in %d attempts; it stays there and is retried "
                    "less and less often, at least every hour. Look at it with a mail client, or at the server's log.",
                    server_name(self._settings),
                    uid,
                    self._source,
                    suspects.TRIES,
                )
            raise

    def file(self, targets: Mapping[int, Folder], *, uidvalidity: int | None = None) -> None:
        """Move each UID to its folder; mails that no longer exist count as moved.

        Raises FilingRefused if the server refuses. `uidvalidity`: the one that the UIDs belong to. If it is no longer
        the folder's, nothing is done: the numbers mean other mails now.
        """
        if uidvalidity is not None and uidvalidity != self._uidvalidity:
            log.warning(
                "%s: %d mails are not moved: their UIDs belong to an older UIDVALIDITY",
                server_name(self._settings),
                len(targets),
            )
            return
        with self._filing_mail() as client:
            self._file_each(client, targets)

    def retrieve(self, mails: Sequence[Misfiled]) -> set[int]:
        """Move mail released from quarantine to the processed folder; return the ids of what was found.

        If one of the two folders is not used, nothing has to be moved, and all are "found". Raises FilingRefused.
        """
        target = self._targets.get(Folder.PROCESSED)
        quarantine = self._targets.get(Folder.QUARANTINE, self._source)
        if target is None or quarantine == target:
            return {mail.inbound_id for mail in mails}
        found: set[int] = set()
        with self._filing_mail() as client:
            try:
                found.update(unquarantine.move(client, mails, quarantine, target))
            except imaplib.IMAP4.abort:
                raise  # no connection to select anything on
            except imaplib.IMAP4.error:
                self._select(client)
                raise
            self._select(client)
            client.wire.grown = True  # there was no search since: what arrived meanwhile must not wait
        return found

    @contextmanager
    def _filing_mail(self) -> Iterator[Client]:
        """Convert a server's refusal into FilingRefused."""
        refusal: imaplib.IMAP4.error | None = None
        with self._guard("filing mail") as client:
            try:
                yield client
            except imaplib.IMAP4.abort:
                raise  # the connection is gone
            except imaplib.IMAP4.error as error:
                if move.folder_is_gone(error):
                    raise  # `open` creates the folder
                refusal = error
            client.wire.forget()
        if refusal is not None:
            raise FilingRefused(
                f"{server_name(self._settings)}: filing mail was refused: {server_words(refusal).rstrip('.')}. "
                f"{move.remedy(refusal)} New mail is handled all the same; "
                f"handled mail is moved out of {self._source} as soon as the server allows it."
            ) from refusal

    def _file_each(self, client: Client, targets: Mapping[int, Folder]) -> None:
        for folder in Folder:
            uids = [uid for uid, wanted in targets.items() if wanted is folder]
            if not uids:
                continue
            if folder in self._targets:
                self._mover.move(uids, self._targets[folder])
            elif self._keywords:
                move.mark(client, uids)

    def wait(self, timeout: float, wake: WakeUp, *, brisk: float = 0.0) -> bool:
        """Wait at most `timeout` seconds, or until `wake` is set; return whether the server signalled a change.

        `brisk`: for so many seconds of it more mail is likely (`idle.brisk`).
        """
        with self._guard("waiting for mail") as client:
            client.wire.forget()
            if client.wire.grown and not self._returned_at_once:
                self._returned_at_once = True  # once in a row: some servers repeat EXISTS with every answer
                return True
            if self._settings.idle and client.has_capability("IDLE"):
                changed = idle.brisk(client, min(brisk, timeout), wake) if brisk > 0 else None
                if changed is not None:
                    return changed
                return idle.idle(client, timeout, wake)
        wake.wait(timeout)
        return False

    def interrupt(self) -> None:
        """Abort what another thread does here, with a network error (at shutdown, if the server hangs)."""
        if self._client is not None:
            self._client.interrupt()

    def close(self) -> None:
        """Log out and close, if there is a connection."""
        client, self._client = self._client, None
        if client is None:
            return
        try:
            with network_faults(self._settings, "logging out"):
                client.wire.allowance = 5.0
                client.logout()
        except MailboxUnavailable as error:
            log.debug("%s", error)
        finally:
            drop(client)

    @contextmanager
    def _guard(self, doing: str) -> Iterator[Client]:
        """Yield the open connection; an error closes it, since its next answer could belong to the failed command."""
        if self._client is None:
            raise MailboxUnavailable(f"{server_name(self._settings)}: not connected while {doing}.")
        try:
            with network_faults(self._settings, doing):
                yield self._client
        except MailboxUnavailable:
            client, self._client = self._client, None
            if client is not None:
                drop(client)
            raise


def open_ahead(settings: Settings) -> dict[str, Mailbox]:
    """Start opening every inbox of a SQLite desk; return at once, with the mailboxes by `MailboxSettings.place`.

    A desk on PostgreSQL may have several workers, which agree first on who reads which mailbox.
    """
    if settings.database_url.startswith("postgres"):
        return {}
    found = {box.folder_id: Mailbox(box, max_size=settings.inbound.max_size) for box in settings.mailboxes}
    for mailbox in found.values():
        mailbox.open_ahead()
    return found
