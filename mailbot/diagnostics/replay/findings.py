"""What would have happened, as one document: what `mailbot replay --json` prints, and the screen and the page show.

In: a finished `Replay`, the archive's survey. Out: a plain document; times as RFC 3339 in the desk's zone.
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
from mailbot.store.queries.replay import MailRow, TicketRow

# outcome: what it means, in the order of the report
OUTCOMES = {
    "ticket": "opened a ticket",
    "follow_up": "opened a follow-up of a closed ticket",
    "reply": "added to its ticket",
    "answer": "an answer of the team",
    "note": "a note or commands of the team",
    "status": "asked for a status",
    "auto_reply": "an automatic reply, recorded on its ticket, not answered",
    "bounce": "a delivery report, matched to its mail",
    "loop": "the desk's own mail: ignored",
    "duplicate": "the same mail again: ignored",
    "quarantined": "held in quarantine",
    "held": "held until the agent confirms it",
    "other": "received, nothing else",
}


def findings(replay: Replay, survey: Survey, seconds: float) -> dict[str, Any]:
    """Return the whole document."""
    zone, store = replay.settings.helpdesk.zone, replay.desk.store
    mails = [_mail(row, survey.mails[row.uid].location, zone) for row in rows.mails(store)]
    tickets, happened, sent = rows.tickets(store), rows.timer_events(store), rows.sent(store)
    return {
        "archive": _archive(replay, survey),
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
        "threads": [_thread(ticket, zone) for ticket in tickets],
        "timeline": [
            {
                "at": rfc3339(h.at, zone), "ticket": h.ticket, "what": h.kind,
                "step": h.step if h.kind == "reminder" else None,
            }
            for h in happened
        ],
    }  # fmt: skip


def _archive(replay: Replay, survey: Survey) -> dict[str, Any]:
    """Return what was replayed: the archive, and the desk it was taken for."""
    helpdesk, mails = replay.settings.helpdesk, survey.mails
    return {
        "mails": len(mails),
        "from": rfc3339_or_null(mails[0].at if mails else None, helpdesk.zone),
        "to": rfc3339_or_null(mails[-1].at if mails else None, helpdesk.zone),
        "bytes": sum(mail.size for mail in mails),
        "undated": sum(mail.guessed for mail in mails),
        "unreadable": list(replay.tally.unreadable),
        "desk": helpdesk.address,
        "zone": str(helpdesk.zone),
        "agents": [agent.email for agent in replay.settings.agents],
        "service_hours": _service_hours(replay.settings),
    }


def _thread(ticket: TicketRow, zone: tzinfo) -> dict[str, Any]:
    return {
        "number": ticket.number,
        "subject": ticket.subject,
        "requester": ticket.requester,
        "mails": ticket.mails,
        "status": ticket.status,
        "close_reason": ticket.close_reason or None,
        "created_at": rfc3339(ticket.created_at, zone),
        "closed_at": rfc3339_or_null(ticket.closed_at, zone),
        "follow_up_of": ticket.follow_up_of,
        "reminders": ticket.reminders,
    }


def outcome_of(mail: MailRow) -> str:
    """Return one of `OUTCOMES`: the first line of the table that matches."""
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
    return next((name for matches, name in table if matches), "other")


def _service_hours(settings: Settings) -> list[tuple[int, float, float]]:
    """Return (weekday from 0, opening, closing in hours) of an ordinary week."""
    hours = settings.hours
    start, end = (at.hour + at.minute / 60 for at in (hours.open, hours.close))
    return [(DAY_NAMES.index(day), start, end) for day in hours.days]


def _mail(row: MailRow, location: str, zone: tzinfo) -> dict[str, Any]:
    return {
        "place": location,
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
    """Group held mail by reason, the most frequent first, without what follows a colon, which differs by mail."""
    found: dict[str, list[str]] = {}
    for mail in held:
        found.setdefault(_without_details(mail["reason"]), []).append(mail["place"])
    by_number = sorted(found.items(), key=lambda entry: -len(entry[1]))
    return [{"reason": reason, "mails": len(places), "places": places} for reason, places in by_number]


def _without_details(reason: str) -> str:
    words = reason.partition(":")[0].partition("(")[0].strip()
    return " ".join("…" if "@" in word or word.startswith("#") else word for word in words.split()) or "?"


def _sent(sent: dict[tuple[str, str, bool], int]) -> list[dict[str, Any]]:
    """Count the mails that would be sent, by kind (without suppressed ones)."""
    counts: Counter[tuple[str, bool]] = Counter()
    for (kind, state, automatic), many in sent.items():
        if state != "suppressed":
            counts[kind, automatic] += many
    return [{"kind": kind, "automatic": automatic, "mails": many} for (kind, automatic), many in counts.most_common()]
