"""Mail that was let out of quarantine is fetched from the quarantine folder.

In: what is known of each mail, and the server's names of the two folders. Out: the ids of those that were moved. Their
UIDs in the quarantine folder are known to nobody, since MOVE need not tell (RFC 6851 §4.3: COPYUID is optional): a mail
is searched by its size and known by its Message-ID and digest, as when it came.
Afterwards another folder is selected: the caller selects its own again.
Never: a mail moved that is not the same, or more than one for each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mailbot.mail.duplicates import identity
from mailbot.mail.fetched import Misfiled
from mailbot.transport.imap import fetch, folders
from mailbot.transport.imap.connection import Client
from mailbot.transport.imap.move import Filing

# Mails of one size that are looked into, newest first; a robot's are often of one size.
MOST_ALIKE = 50


def move(client: Client, mails: Sequence[Misfiled], source: str, target: str) -> Iterator[int]:
    """Move each of `mails` that lies in `source` into `target`; the `inbound_id` of each that was, when it was."""
    if not folders.existing(client, source) and source.upper() != "INBOX":
        return  # somebody has deleted it, with all that lay there
    selected = client.select_folder(source)
    # everything may have been copied already by somebody who died before the original was removed
    filing = Filing(client, source, uid_next=2**32)
    for mail in mails:
        uid = _find(client, mail, int(selected.get(b"UIDVALIDITY", 0)))
        if uid is not None:
            filing.move([uid], target)
            yield mail.inbound_id


def _find(client: Client, mail: Misfiled, uidvalidity: int) -> int | None:
    # RFC 3501 §6.4.4: LARGER and SMALLER compare RFC822.SIZE, and leave out the number itself
    alike = fetch.search(client, f"LARGER {max(0, mail.size - 1)} SMALLER {mail.size + 1}")
    for uid in reversed(alike[-MOST_ALIKE:]):
        for found in fetch.arrivals(client, uidvalidity, [uid], {uid: mail.size}, mail.partial):
            known = identity(found.raw)
            if (known.message_id, known.digest) == (mail.message_id, mail.digest):
                return uid
    return None
