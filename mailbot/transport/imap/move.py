r"""Moves mail out of the inbox, exactly once: by MOVE, or its nearest equivalent on a server without it.

In: UIDs of the selected folder and the target folder. Out: nothing; afterwards they are gone from the folder. A mail
that no longer exists counts as moved, so a repeated call does no harm.
Standards: RFC 6851 (MOVE), RFC 4315 (UIDPLUS), RFC 3501 §6.4.7 (COPY), §6.4.3 (EXPUNGE), RFC 5788 (keywords).

| server offers | commands |
|---|---|
| MOVE | UID MOVE: one atomic step |
| UIDPLUS | UID COPY, UID STORE \Deleted, UID EXPUNGE of ours |
| neither | the same with a plain EXPUNGE, during which others' \Deleted flags are removed and then restored |

A kill between COPY and EXPUNGE: what is flagged \Deleted was copied before, since COPY comes first. What is not
flagged, but already waited when this session opened the folder, may have been copied by a previous session that died in
between: it is compared with the newest mails of the target folder first. Mail that arrived later can't have been
copied.
Never: an EXPUNGE that removes a mail which another client flagged.
"""

from __future__ import annotations

import imaplib
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from mailbot.transport.imap.connection import Client
from mailbot.transport.imap.fetch import chunks, search, uid_set

# Marks handled mail that stays in the folder (RFC 5788: a keyword; it works without registration).
DONE = "$MailbotDone"
# Mails in one MOVE or COPY, and so the most that a killed session can have copied without flagging.
PER_COMMAND = 100
# After this many single mails that the server refused to move, the cause is not in the mails.
HOPELESS = 3
# RFC 5530 §3, RFC 9208 §4.3.1: refusals that apply to every mail.
NOT_ONE_MAIL = ("[TRYCREATE]", "[NONEXISTENT]", "[NOPERM]", "[OVERQUOTA]", "[LIMIT]", "[UNAVAILABLE]", "[INUSE]")

# RFC 3501 §7.1, RFC 5530 §3: the folder does not exist; opening the mailbox again creates it.
FOLDER_IS_GONE = ("[TRYCREATE]", "[NONEXISTENT]")
# What to do about a refusal; the first row whose code occurs in the server's words applies.
REMEDIES: tuple[tuple[str, str], ...] = (
    # RFC 9208 §4.3.1, RFC 5530 §3: the account is full.
    ("[OVERQUOTA]", "Make room in the account, or raise its quota."),
    # RFC 5530 §3: rights.
    ("[NOPERM]", "Give the account the right to move mail into that folder."),
    # Everything else: nothing more is known.
    ("", "Look at the server's log."),
)

_IDENTITY = "(UID RFC822.SIZE INTERNALDATE BODY.PEEK[HEADER.FIELDS (MESSAGE-ID DATE FROM SUBJECT)])"
_UID = re.compile(rb"UID (\d+)")
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")
_INTERNALDATE = re.compile(rb'INTERNALDATE "([^"]*)"')
# How a copy of a mail is recognised: size, date of arrival, header fields.
Identity = tuple[bytes, bytes, bytes]


def keeps_keywords(selected: dict[bytes, Any]) -> bool:
    """Return whether the folder, by the answer to its SELECT, stores `DONE` (RFC 3501 §7.1: PERMANENTFLAGS)."""
    flags = selected.get(b"PERMANENTFLAGS", ())
    return b"\\*" in flags or DONE.encode().lower() in {bytes(flag).lower() for flag in flags}


def folder_is_gone(refusal: imaplib.IMAP4.error) -> bool:
    """Return whether the server refused because the target folder is missing."""
    return any(code in str(refusal).upper() for code in FOLDER_IS_GONE)


def remedy(refusal: imaplib.IMAP4.error) -> str:
    """Return what the admin can do about a refusal, by `REMEDIES`."""
    return next(words for code, words in REMEDIES if code in str(refusal).upper())


def mark(client: Client, uids: Sequence[int]) -> None:
    """Set the keyword `DONE` on mails that stay in the folder."""
    for some in chunks(uids):
        _ok(client, "STORE", uid_set(some), "+FLAGS.SILENT", f"({DONE})")


class Mover:
    """Moves mail out of the selected folder `source`, for one connection.

    `uid_next`: the UIDNEXT of its first SELECT; a previous session may have copied mail below it.
    """

    def __init__(self, client: Client, source: str, uid_next: int) -> None:
        self._client = client
        self._source = source
        self._uid_next = uid_next
        self._before_us: dict[str, Counter[Identity]] = {}

    def move(self, uids: Sequence[int], target: str) -> None:
        """Move `uids` into the folder `target` (a name of the server)."""
        for some in chunks(sorted(set(uids)), PER_COMMAND):
            if self._client.has_capability("MOVE"):
                self._move_or_bisect(some, target)
            else:
                self._copy_within_quota(some, target)

    def _move_or_bisect(self, uids: Sequence[int], target: str) -> None:
        """Issue UID MOVE; if the server refuses, find the mail it refuses by bisection, and move the others."""
        refused: list[imaplib.IMAP4.error] = []
        groups = [list(uids)]
        while groups and len(refused) < HOPELESS:
            group = groups.pop()
            try:
                _ok(self._client, "MOVE", uid_set(group), _quoted(self._client, target))
            except imaplib.IMAP4.abort:
                raise
            except imaplib.IMAP4.error as error:
                if any(code in str(error).upper() for code in NOT_ONE_MAIL):
                    raise
                if len(group) == 1:
                    if "[EXPUNGEISSUED]" not in str(error).upper():  # RFC 5530 §3: another client has removed it
                        refused.append(error)
                else:
                    groups += [group[len(group) // 2 :], group[: len(group) // 2]]
        if refused:
            raise refused[0]

    def _copy_within_quota(self, uids: Sequence[int], target: str) -> None:
        """Copy and expunge all at once; if the quota has no room for so many copies, one after the other."""
        try:
            self._copy_and_expunge(uids, target)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:
            if len(uids) == 1 or "[OVERQUOTA]" not in str(error).upper():
                raise
            for uid in uids:
                self._copy_and_expunge([uid], target)

    def _copy_and_expunge(self, uids: Sequence[int], target: str) -> None:
        there = set(search(self._client, f"UID {uid_set(uids)}"))
        flagged = set(search(self._client, f"UID {uid_set(uids)} DELETED"))
        fresh = sorted(there - flagged)
        doubtful = [uid for uid in fresh if uid < self._uid_next]
        copied = self._already_in(target, doubtful) if doubtful else set()
        missing = [uid for uid in fresh if uid not in copied]
        if missing:
            _ok(self._client, "COPY", uid_set(missing), _quoted(self._client, target))
        if fresh:
            _ok(self._client, "STORE", uid_set(fresh), "+FLAGS.SILENT", "(\\Deleted)")
        if there:
            self._expunge(sorted(there))

    def _already_in(self, target: str, uids: Sequence[int]) -> set[int]:
        """Return those of `uids` that were among the newest mails of `target` when this connection first checked."""
        ours = self._identities(uid_set(uids))
        if target not in self._before_us:
            self._before_us[target] = self._newest(target)
        copies = self._before_us[target]
        found = set()
        for uid, identity in ours.items():
            if copies[identity]:
                copies[identity] -= 1  # one copy accounts for one mail, even if the same mail arrived twice
                found.add(uid)
        return found

    def _newest(self, target: str) -> Counter[Identity]:
        self._client.select_folder(target, readonly=True)
        try:
            newest = search(self._client, "ALL")[-2 * PER_COMMAND :]
            return Counter(self._identities(uid_set(newest)).values() if newest else ())
        finally:
            self._client.select_folder(self._source)

    def _identities(self, uids: str) -> dict[int, Identity]:
        wire = self._client.wire
        wire.untagged_responses.pop("FETCH", None)
        kind, data = wire.uid("FETCH", uids, _IDENTITY)
        if kind != "OK":
            raise wire.error(f"FETCH: {data!r}")
        found: dict[int, Identity] = {}
        for head, tail in zip(data, [*data[1:], b""], strict=True):
            if not isinstance(head, tuple):
                continue
            text = head[0] + (tail if isinstance(tail, bytes) else b"")  # attributes may follow the literal
            uid, size, date = _UID.search(text), _SIZE.search(text), _INTERNALDATE.search(text)
            if uid and size and date:
                found[int(uid[1])] = (size[1], date[1], head[1])
        return found

    def _expunge(self, uids: Sequence[int]) -> None:
        r"""Remove `uids`, which are flagged \Deleted, and nothing else."""
        if self._client.has_capability("UIDPLUS"):
            _ok(self._client, "EXPUNGE", uid_set(uids))  # RFC 4315 §2.1
            return
        others = sorted(set(search(self._client, "DELETED")) - set(uids))
        for some in chunks(others):
            _ok(self._client, "STORE", uid_set(some), "-FLAGS.SILENT", "(\\Deleted)")
        try:
            kind, words = self._client.wire.expunge()
            if kind != "OK":
                raise imaplib.IMAP4.error(f"EXPUNGE: {words!r}")
        finally:
            for some in chunks(others):
                _ok(self._client, "STORE", uid_set(some), "+FLAGS.SILENT", "(\\Deleted)")


def _ok(client: Client, command: str, *arguments: str) -> None:
    """Issue a UID command that must succeed."""
    if command in {"MOVE", "EXPUNGE"} and command not in imaplib.Commands:
        imaplib.Commands[command] = ("SELECTED",)
    kind, words = client.wire.uid(command, *arguments)
    if kind != "OK":
        raise client.wire.error(f"{command}: {words!r}")


def _quoted(client: Client, folder: str) -> str:
    """Encode a folder name as an argument: modified UTF-7 and quoted, as imapclient does."""
    name: str = client._normalise_folder(folder)
    return name
