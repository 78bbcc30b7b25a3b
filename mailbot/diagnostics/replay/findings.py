"""What would have happened, as one document: what `mailbot replay --json` prints, and the screen and the page show.

In: a `Replay` that is finished, the archive's survey. Out: a plain document; times as RFC 3339 in the desk's zone.
Every mail of the archive has exactly one `outcome`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import tzinfo
from typing import Any

from mailbot.config.model import DAY_NAMES, Settings
from mailbot.diagnostics.replay.archive import Survey
from mailbot.diagnostics.replay.engine import Replay
from mailbot.diagnostics.replay.recorded_answers import RULE
from mailbot.runtime.clock import rfc3339, rfc3339_or_null
from mailbot.store.queries import replay as rows
from mailbot.store.queries.replay import MailRow

# outcome: what it means. In the order in which one reads them.
OUTCOMES = {
    "ticket": "opened a ticket",
    "follow_up": "opened a follow-up of a closed ticket",
    "reply": "went to its ticket",
    "answer": "an answer of the team",
    "note": "a note or commands of the team",
    "status": "asked for a status",
    "auto_reply": "an automatic reply, put on its ticket, not answered",
    "bounce": "a delivery report, matched to its mail",
    "loop": "the desk's own mail: nothing happens",
    "duplicate": "the same mail again: nothing happens",
    "quarantined": "held in quarantine",
    "held": "held until the agent confirms it",
    "other": "taken in, nothing else",
}
MACHINES = ("auto_reply", "bounce", "loop")


def findings(replay: Replay, survey: Survey, seconds: float) -> dict[str, Any]:
    """The whole document."""
    zone = replay.settings.helpdesk.zone
    store = replay.desk.store
    letters = survey.letters
    mails = [_mail(row, letters[row.uid].place, zone) for row in rows.mails(store)]
    tickets = rows.tickets(store)
    happened = rows.happenings(store)
    sent = rows.sent(store)
    return {
        "archive": {
            "mails": len(letters),
            "from": rfc3339_or_null(letters[0].at if letters else None, zone),
            "to": rfc3339_or_null(letters[-1].at if letters else None, zone),
            "bytes": sum(letter.size for letter in letters),
            "undated": sum(letter.guessed for letter in letters),
            "unreadable": list(replay.tally.unreadable),
            "desk": replay.settings.helpdesk.address,
            "zone": str(zone),
            "agents": [agent.email for agent in replay.settings.agents],
            "service_hours": _service_hours(replay.settings),
        },
        "seconds": round(seconds, 3),
        "outcomes": {name: many for name in OUTCOMES if (many := sum(m["outcome"] == name for m in mails))},
        "kinds": dict(Counter(m["kind"] for m in mails if m["kind"]).most_common()),
        "quarantine": _reasons(m for m in mails if m["outcome"] in ("quarantined", "held")),
        "robots": dict(Counter(m["rule"] for m in mails if m["kind"] in ("auto", "bounce", "loop")).most_common()),
        "tickets": {
            "opened": len(tickets),
            "follow_ups": sum(t.follow_up_of is not None for t in tickets),
            "closed_by_team": sum(t.close_reason not in ("", "no_reply") for t in tickets),
            "closed_without_reply": sum(t.close_reason == "no_reply" for t in tickets),
            "open_at_end": dict(Counter(t.status for t in tickets if t.status != "closed")),
            "with_one_mail": sum(t.mails <= 1 for t in tickets),
            "longest": max((t.mails for t in tickets), default=0),
        },
        "clock": {
            "reminders": sum(h.kind == "reminder" for h in happened),
            "closings": sum(h.kind == "closed" for h in happened),
            "after_the_last_mail": sum(h.at > replay.ended_at for h in happened),
        },
        "sent": _sent(sent),
        "suppressed": sum(many for (_, state, _), many in sent.items() if state == "suppressed"),
        "mails": mails,
        "threads": [
            {
                "number": t.number, "subject": t.subject, "requester": t.requester, "mails": t.mails,
                "status": t.status, "close_reason": t.close_reason or None, "created_at": rfc3339(t.created_at, zone),
                "closed_at": rfc3339_or_null(t.closed_at, zone), "follow_up_of": t.follow_up_of,
                "reminders": t.reminders,
            }
            for t in tickets
        ],
        "timeline": [
            {
                "at": rfc3339(h.at, zone), "ticket": h.ticket, "what": h.kind,
                "step": h.step if h.kind == "reminder" else None,
            }
            for h in happened
        ],
    }  # fmt: skip


def outcome_of(mail: MailRow) -> str:
    """Which of `OUTCOMES`. The first line that fits."""
    table: tuple[tuple[bool, str], ...] = (
        (mail.state in ("duplicate", "quarantined", "held"), mail.state),
        (mail.rule == RULE, "answer"),
        (mail.kind == "loop", "loop"),
        (mail.kind == "bounce", "bounce"),
        (mail.kind == "auto", "auto_reply"),
        ("follow_up_of" in mail.explanation, "follow_up"),
        (mail.recorded_as == "report", "ticket"),
        (mail.recorded_as in ("reply", "answer", "note"), mail.recorded_as),
        (mail.reason.startswith("status request") or mail.reason.startswith("a status request"), "status"),
    )
    return next((name for fits, name in table if fits), "other")


def _service_hours(settings: Settings) -> list[tuple[int, float, float]]:
    """(weekday from 0, opening, closing in hours) of an ordinary week."""
    hours = settings.hours
    start, end = (at.hour + at.minute / 60 for at in (hours.open, hours.close))
    return [(DAY_NAMES.index(day), start, end) for day in hours.days]


def _mail(row: MailRow, place: str, zone: tzinfo) -> dict[str, Any]:
    return {
        "place": place,
        "at": rfc3339(row.at, zone),
        "from": row.sender or None,
        "subject": row.subject,
        "outcome": outcome_of(row),
        "kind": row.kind or None,
        "rule": row.rule or None,
        "reason": row.reason,
        "ticket": row.ticket,
        "evidence": row.explanation.get("evidence") or None,
    }


def _reasons(held: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Held mail by reason, the most frequent first; what stands behind a colon is of one mail only."""
    found: dict[str, list[str]] = {}
    for mail in held:
        found.setdefault(_in_general(mail["reason"]), []).append(mail["place"])
    by_number = sorted(found.items(), key=lambda entry: -len(entry[1]))
    return [{"reason": reason, "mails": len(places), "places": places} for reason, places in by_number]


def _in_general(reason: str) -> str:
    words = reason.partition(":")[0].partition("(")[0].strip()
    return " ".join("…" if "@" in word or word.startswith("#") else word for word in words.split()) or "?"


def _sent(sent: dict[tuple[str, str, bool], int]) -> list[dict[str, Any]]:
    """By kind: how many went out (suppressed ones are not among them)."""
    counts: Counter[tuple[str, bool]] = Counter()
    for (kind, state, automatic), many in sent.items():
        if state != "suppressed":
            counts[kind, automatic] += many
    return [{"kind": kind, "automatic": automatic, "mails": many} for (kind, automatic), many in counts.most_common()]
