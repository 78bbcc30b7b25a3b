"""How much the desk writes by itself, and what most of it is about: for the admin who should look before any cap holds.

Bounded looks into indexes, since this is asked every few seconds. Out: counts, and a line of words with a title and a
domain in it (both are in the desk's own mail already; an address is not).
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from sqlalchemy import Select, select

from mailbot.core.subject import clean_subject
from mailbot.store.engine import Store
from mailbot.store.tables import AUTOMATIC, OUTBOX

# From so many on, the newest of them are looked at.
WORTH_NAMING = 100
_LOOKED_AT = 600
_KINDS = frozenset({"acknowledgement", "status", "notice"})
_LONGEST = 80


def automatic_since(store: Store, since: datetime) -> tuple[int, str]:
    """How many automatic mails were written to people since then, and what most of the newest have in common."""
    with store.reading() as connection:
        of_desk = select(AUTOMATIC.c.number).where(AUTOMATIC.c.desk_id == store.desk_id, AUTOMATIC.c.at > since)
        first = connection.execute(of_desk.order_by(AUTOMATIC.c.at, AUTOMATIC.c.number).limit(1)).scalar()
        if first is None:
            return 0, ""
        newest = of_desk.order_by(AUTOMATIC.c.at.desc(), AUTOMATIC.c.number.desc()).limit(1)
        count = int(connection.execute(newest).scalar_one()) - int(first) + 1  # the numbers have no gaps
        if count < WORTH_NAMING:
            return count, ""
        rows = connection.execute(_newest_letters(store.desk_id)).all()
    wanted = [row for row in rows if row.kind in _KINDS]
    titles = Counter(_title(row.subject) for row in wanted)
    domains = Counter(row.recipient.rpartition("@")[2] for row in wanted)
    if not wanted:
        return count, ""
    [(title, alike)], [(domain, neighbours)] = titles.most_common(1), domains.most_common(1)
    return count, f"“{title}” {alike}/{len(wanted)}, @{domain} {neighbours}/{len(wanted)}"


def _newest_letters(desk_id: int) -> Select[tuple[str, str, str]]:
    query = select(OUTBOX.c.kind, OUTBOX.c.recipient, OUTBOX.c.subject).where(OUTBOX.c.desk_id == desk_id)
    return query.order_by(OUTBOX.c.id.desc()).limit(_LOOKED_AT)


def _title(subject: str) -> str:
    """A mail's title without our number."""
    return clean_subject(subject.partition(" - ")[2] or subject)[:_LONGEST]
