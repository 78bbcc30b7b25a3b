"""Moves mail that was released from quarantine out of the quarantine folder.

In: what is known of each mail, and the server's names of the two folders. Out: the ids of those that were moved. Their
UIDs in the quarantine folder are unknown, since MOVE need not return them (RFC 6851 §4.3: COPYUID is optional): a mail
is searched by its size and recognised by its Message-ID and digest, as when it arrived. Afterwards another folder is
selected: the caller selects its own again. A module of its own, as nothing else searches in another folder.
Never: moves a mail that is not the same, or more than one for each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mailbot.mail.duplicates import identity
from mailbot.mail.fetched import Misfiled
from mailbot.transport.imap import fetch, folders
from mailbot.transport.imap.connection import Client
from mailbot.transport.imap.move import Mover

# How many mails of the same size are examined, newest first; a robot's mails often have the same size.
MOST_ALIKE = 50


def move(client: Client, mails: Sequence[Misfiled], source: str, target: str) -> Iterator[int]:
    """Move each of `mails` found in `source` into `target`; yield its `inbound_id` once it is moved."""
    if not folders.existing(client, source) and source.upper() != "INBOX":
        return  # the folder was deleted, with everything in it
    selected = client.select_folder(source)
    # A previous session may have copied anything, and died before the original was removed.
    mover = Mover(client, source, uid_next=2**32)
    for mail in mails:
        uid = _find(client, mail, int(selected.get(b"UIDVALIDITY", 0)))
        if uid is not None:
            mover.move([uid], target)
            yield mail.inbound_id


def _find(client: Client, mail: Misfiled, uidvalidity: int) -> int | None:
    # RFC 3501 §6.4.4: LARGER and SMALLER compare RFC822.SIZE, and exclude the number itself
    alike = fetch.search(client, f"LARGER {max(0, mail.size - 1)} SMALLER {mail.size + 1}")
    for uid in reversed(alike[-MOST_ALIKE:]):
        for found in fetch.fetch_batch(client, uidvalidity, [uid], {uid: mail.size}, mail.partial):
            known = identity(found.raw)
            if (known.message_id, known.digest) == (mail.message_id, mail.digest):
                return uid
    return None
