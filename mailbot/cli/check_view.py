"""The doctor's findings for people, or as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from mailbot.cli import output
from mailbot.cli.doctor import Finding

_STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red"}


def print_findings(findings: Sequence[Finding], *, as_json: bool) -> None:
    """One line each, with the mend below where there is one."""
    if as_json:
        ok = all(finding.state != "fail" for finding in findings)
        output.print_json({"ok": ok, "findings": [asdict(finding) for finding in findings]})
        return
    from rich.text import Text

    out = output.console()
    for finding in findings:
        state = (f"{finding.state:<5}", _STYLES[finding.state])
        out.print(Text.assemble(state, f"{finding.part:<14} {output.cell(finding.found)}"), soft_wrap=True)
        if finding.mend:
            out.print(Text(f"{'':<20} → {output.cell(finding.mend)}", style="dim"), soft_wrap=True)
