"""A replay's findings as one page for a browser: no script, nothing loaded, light and dark, readable on a phone.

In: the document of `findings`. Out: HTML (one file, mailable). Text from mail is escaped; long lists are cut, with a
note on where the rest is. The Content-Security-Policy allows nothing to be loaded, whatever a subject contains.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from html import escape
from typing import Any

from mailbot.diagnostics.replay.charts import Layer, bars, over_time, week
from mailbot.diagnostics.replay.findings import OUTCOMES

Document = Mapping[str, Any]

MAX_ROWS = 300
# (most days that an archive may span, how a period is named)
PERIODS: tuple[tuple[int, Callable[[datetime], str]], ...] = (
    (62, lambda at: at.strftime("%Y-%m-%d")),
    (800, lambda at: (at - timedelta(days=at.weekday())).strftime("%Y-%m-%d")),  # the week's Monday
    (4000, lambda at: at.strftime("%Y-%m")),
    (1_000_000, lambda at: at.strftime("%Y")),
)
LAYERS = (
    ("reports", "c0", ("ticket", "follow_up")),
    ("replies", "c1", ("reply", "status")),
    ("the team", "c2", ("answer", "note")),
    ("machines", "c3", ("auto_reply", "bounce", "loop", "duplicate", "other")),
    ("held", "c4", ("quarantined", "held")),
)

STYLE = """
:root{color-scheme:light dark;--ink:#1d2330;--soft:#5b6472;--paper:#fff;--card:#f5f6f8;--line:#dfe3e8;
--c0:#2f6fde;--c1:#2a9d8f;--c2:#8a63d2;--c3:#9aa3af;--c4:#d9534f}
@media(prefers-color-scheme:dark){:root{--ink:#e7eaf0;--soft:#9aa4b2;--paper:#14171c;--card:#1d2128;--line:#333a45;
--c0:#6ea0ff;--c1:#4fc3b3;--c2:#b294f0;--c3:#737d8b;--c4:#ff7b76}}
*{box-sizing:border-box}body{margin:0 auto;max-width:72rem;padding:1rem;background:var(--paper);color:var(--ink);
font:16px/1.5 system-ui,sans-serif}h1{font-size:1.5rem;margin:.3rem 0}h2{font-size:1.1rem;margin:0 0 .6rem}
p{margin:.4rem 0}.soft,.legend,figcaption{color:var(--soft);font-size:.9rem}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));gap:.6rem;margin:1rem 0;padding:0}
.tiles div{background:var(--card);border-radius:.6rem;padding:.7rem .9rem}.tiles b{display:block;font-size:1.5rem;
line-height:1.2;font-variant-numeric:tabular-nums}.grid{display:grid;gap:1rem;margin-bottom:1rem;
grid-template-columns:repeat(auto-fit,minmax(min(100%,28rem),1fr))}
section,details{background:var(--card);border-radius:.6rem;padding:.9rem;margin:0 0 1rem;min-width:0}
.grid section{margin:0}summary{cursor:pointer;font-weight:600}
svg{width:100%;height:auto;display:block}svg text{fill:var(--soft);font-size:12px}svg .axis{text-anchor:end}
svg .figure{fill:var(--ink)}svg line{stroke:var(--line)}svg .open{fill:none;stroke:var(--ink);stroke-width:1.2}
.c0{fill:var(--c0);background:var(--c0)}.c1{fill:var(--c1);background:var(--c1)}.c2{fill:var(--c2);background:var(--c2)}
.c3{fill:var(--c3);background:var(--c3)}.c4{fill:var(--c4);background:var(--c4)}
.legend{display:flex;flex-wrap:wrap;gap:.2rem 1rem}.legend i{display:inline-block;width:.7rem;height:.7rem;
border-radius:.15rem;margin-right:.35rem}.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;
font-size:.9rem;margin-top:.6rem}td,th{text-align:left;padding:.3rem .6rem .3rem 0;border-top:1px solid var(--line);
vertical-align:top;overflow-wrap:anywhere;min-width:7rem}th{color:var(--soft);font-weight:500;border:0}
td.n,th.n{text-align:right;min-width:3rem;font-variant-numeric:tabular-nums}
"""


def page(found: Document) -> str:
    """Return the whole page."""
    archive = found["archive"]
    span = f"{archive['from'][:10]} to {archive['to'][:10]}" if archive["from"] else "no mail"
    title = f"Replay of {archive['mails']} mails"
    body = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="soft">{span} · desk {escape(archive["desk"])} · times in {escape(archive["zone"])} · '
        "nothing was sent</p>",
        _tiles(found),
        '<div class="grid">',
        _card("Mail that came", _mails_over_time(found)),
        _card("Tickets opened and closed", _tickets_over_time(found)),
        _card("When mail comes", _week(found), "Framed: service hours of the configuration."),
        _card("Outcome", _outcomes(found)),
        _card("What would go out", _sent(found), _suppressed(found)),
        _card("Held in quarantine, and why", _quarantine(found)),
        "</div>",
        _tickets(found["threads"]),
        _timeline(found["timeline"]),
        _held(found["mails"]),
    ]
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>{''.join(body)}</body></html>\n"
    )


def _tiles(found: Document) -> str:
    tickets, clock, outcomes = found["tickets"], found["clock"], found["outcomes"]
    held = outcomes.get("quarantined", 0) + outcomes.get("held", 0)
    machines = sum(outcomes.get(name, 0) for name in ("auto_reply", "bounce", "loop"))
    tiles = (
        ("mails", found["archive"]["mails"]),
        ("tickets", tickets["opened"]),
        ("follow-ups", tickets["follow_ups"]),
        ("replies on tickets", outcomes.get("reply", 0)),
        ("answers of the team", outcomes.get("answer", 0)),
        ("machines", machines),
        ("held", held),
        ("reminders", clock["reminders"]),
        ("closed without reply", tickets["closed_without_reply"]),
        ("mails would go out", sum(each["mails"] for each in found["sent"])),
    )
    return f'<div class="tiles">{"".join(f"<div><b>{value}</b>{name}</div>" for name, value in tiles)}</div>'


def _card(title: str, inside: str, note: str = "") -> str:
    words = f'<p class="soft">{note}</p>' if note else ""
    return f"<section><h2>{title}</h2>{inside or '<p class=soft>none</p>'}{words}</section>"


def _mails_over_time(found: Document) -> str:
    times = [datetime.fromisoformat(mail["at"]) for mail in found["mails"]]
    name, labels = _periods(times)
    counts = Counter((name(at), mail["outcome"]) for at, mail in zip(times, found["mails"], strict=True))
    layers = [
        Layer(words, css, [sum(counts[label, outcome] for outcome in outcomes) for label in labels])
        for words, css, outcomes in LAYERS
    ]
    return over_time(labels, [layers], "mails over time, by outcome") if labels else ""


def _tickets_over_time(found: Document) -> str:
    opened = [datetime.fromisoformat(each["created_at"]) for each in found["threads"]]
    closed = [(datetime.fromisoformat(t["closed_at"]), t["close_reason"]) for t in found["threads"] if t["closed_at"]]
    name, labels = _periods([*opened, *(at for at, _ in closed)])
    by_team = Counter(name(at) for at, why in closed if why != "no_reply")
    by_clock = Counter(name(at) for at, why in closed if why == "no_reply")
    new = Counter(map(name, opened))
    opening = Layer("opened", "c0", [new[label] for label in labels])
    closing = [
        Layer("closed by the team", "c2", [by_team[label] for label in labels]),
        Layer("closed without reply", "c4", [by_clock[label] for label in labels]),
    ]
    return over_time(labels, [[opening], closing], "tickets opened and closed over time") if labels else ""


def _periods(times: Sequence[datetime]) -> tuple[Callable[[datetime], str], list[str]]:
    """Return how to name the period of a time, and the names of all periods, including empty ones."""
    if not times:
        return PERIODS[0][1], []
    first, last = min(times), max(times)
    name = next(name for days, name in PERIODS if (last - first).days <= days)
    days = (first + timedelta(days=day) for day in range((last - first).days + 1))
    return name, list(dict.fromkeys([*(name(day) for day in days), name(last)]))


def _week(found: Document) -> str:
    people = [mail for mail in found["mails"] if mail["outcome"] in ("ticket", "follow_up", "reply", "status")]
    times = [datetime.fromisoformat(mail["at"]) for mail in people]
    counts = Counter((at.weekday(), at.hour) for at in times)
    hours = [(day, start, end) for day, start, end in found["archive"]["service_hours"]]
    return week(counts, hours, "mail of people by weekday and hour") if times else ""


def _outcomes(found: Document) -> str:
    rows = [
        (f"{name}: {words}", found["outcomes"][name]) for name, words in OUTCOMES.items() if name in found["outcomes"]
    ]
    return bars(rows, "c1", "mails by outcome")


def _sent(found: Document) -> str:
    rows = [(f"{each['kind']}{' (automatic)' if each['automatic'] else ''}", each["mails"]) for each in found["sent"]]
    return bars(rows, "c2", "mails that would go out, by kind")


def _suppressed(found: Document) -> str:
    many = found["suppressed"]
    return f"{many} more automatic mails are held back by [inbound] max_auto_replies_per_sender." if many else ""


def _quarantine(found: Document) -> str:
    return bars([(each["reason"], each["mails"]) for each in found["quarantine"][:10]], "c4", "reasons of quarantine")


def _tickets(threads: Sequence[Document]) -> str:
    longest = sorted(threads, key=lambda each: (-each["mails"], each["number"]))
    rows = (
        (
            f"#{t['number']}", t["subject"], t["requester"], str(t["mails"]), t["created_at"][:16].replace("T", " "),
            t["status"] + (f" ({t['close_reason']})" if t["close_reason"] else ""),
            f"#{t['follow_up_of']}" if t["follow_up_of"] else "",
        )
        for t in longest
    )  # fmt: skip
    names = ("ticket", "subject", "requester", "mails", "opened", "status", "follow-up of")
    return _list("Tickets, those with the most mails first", names, rows, len(threads))


def _timeline(timeline: Sequence[Document]) -> str:
    rows = (
        (h["at"][:16].replace("T", " "), f"#{h['ticket']}", f"{h['what']} {h['step'] or ''}".strip()) for h in timeline
    )
    return _list("Reminders and closings, at their simulated times", ("when", "ticket", "what"), rows, len(timeline))


def _held(mails: Sequence[Document]) -> str:
    held = [mail for mail in mails if mail["outcome"] in ("quarantined", "held")]
    rows = ((m["place"], m["from"] or "", m["subject"], m["reason"]) for m in held)
    return _list("Held mail, with its reason", ("where", "from", "subject", "reason"), rows, len(held))


def _list(title: str, names: Sequence[str], rows: Iterable[Sequence[str]], many: int) -> str:
    """Return a collapsed table of at most MAX_ROWS rows."""
    if not many:
        return ""
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(value)}</td>' for value in row)}</tr>"
        for row, _ in zip(rows, range(MAX_ROWS), strict=False)
    )
    rest = f'<p class="soft">{many - MAX_ROWS} more: --json has all.</p>' if many > MAX_ROWS else ""
    return (
        f"<details><summary>{escape(title)} ({many})</summary>"
        f'<div class="wide"><table><tr>{head}</tr>{body}</table></div>{rest}</details>'
    )
