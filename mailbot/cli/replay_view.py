"""A replay's summary for a person at a terminal: totals, then quarantine and timers in detail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mailbot.cli import output

MAX_REASONS = 12
MAX_EXAMPLES = 3
MAX_TIMES = 20


def print_findings(found: Mapping[str, Any]) -> None:
    """Print the document of `mailbot.diagnostics.replay.findings`."""
    from mailbot.diagnostics.replay.findings import OUTCOMES

    archive, tickets, clock, outcomes = found["archive"], found["tickets"], found["clock"], found["outcomes"]
    longest = f"{tickets['follow_ups']} of them follow-ups; the longest has {output.count(tickets['longest'], 'mail')}"
    rows: list[tuple[str, object, str]] = [
        ("mails", archive["mails"], f"{_day(archive['from'])} to {_day(archive['to'])}, desk {archive['desk']}"),
        *((f"  {name}", outcomes[name], words) for name, words in OUTCOMES.items() if name in outcomes),
        ("tickets", tickets["opened"], longest),
        ("  closed by the team", tickets["closed_by_team"], ""),
        ("  closed without reply", tickets["closed_without_reply"], "by timer"),
        *((f"  {status} at the end", many, "") for status, many in tickets["open_at_end"].items()),
        ("reminders", clock["reminders"], ""),
        ("mails that would go out", sum(each["mails"] for each in found["sent"]), ""),
        *((f"  {each['kind']}", each["mails"], "automatic" if each["automatic"] else "") for each in found["sent"]),
        ("suppressed", found["suppressed"], "automatic mail over [inbound] max_auto_replies_per_sender"),
    ]  # fmt: skip
    output.print_table(("what", "number", ""), rows, right=("number",))
    _print_quarantine(found)
    _print_times(found)
    speed = archive["mails"] / max(found["seconds"], 0.001)
    output.say(f"{output.count(archive['mails'], 'mail')} in {found['seconds']:.1f} s ({speed:.0f} a second).")
    for place in archive["unreadable"][:MAX_REASONS]:
        output.say(f"{place}: could not be read; skipped")
    if archive["undated"]:
        output.say(f"{output.count(archive['undated'], 'mail')} without a date: placed after the mail before.")


def _print_quarantine(found: Mapping[str, Any]) -> None:
    if not found["quarantine"]:
        return
    rows = [
        (each["mails"], each["reason"], ", ".join(each["places"][:MAX_EXAMPLES]))
        for each in found["quarantine"][:MAX_REASONS]
    ]
    output.console().print()
    output.print_table(("mails", "quarantined because", "for example"), rows, right=("mails",))


def _print_times(found: Mapping[str, Any]) -> None:
    timeline = found["timeline"]
    if not timeline:
        return
    rows = [
        (_minute(each["at"]), f"#{each['ticket']}", f"{each['what']} {each['step'] or ''}".strip())
        for each in timeline[:MAX_TIMES]
    ]
    output.console().print()
    output.print_table(("when", "ticket", "timer"), rows)
    if len(timeline) > MAX_TIMES:
        output.say(f"… and {len(timeline) - MAX_TIMES} more reminders and closings: --json has all.")


def _day(iso: str) -> str:
    return iso[:10]


def _minute(iso: str) -> str:
    return iso[:16].replace("T", " ")
