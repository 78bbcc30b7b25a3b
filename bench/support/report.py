"""Writes measured sections into docs/developer/performance.md, between markers, and draws small plots as SVG.

`publish(name, text, write=True)` replaces what stands between `<!-- bench:NAME -->` and `<!-- /bench:NAME -->`; a
section that has no markers yet is put at the end. The plots that were drawn before it are written with it: a bench that
only prints leaves the page's plots alone.
"""

from __future__ import annotations

import argparse
import html
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.support import machine

PAGE = Path(__file__).parents[2] / "docs" / "developer" / "performance.md"
PLOTS = PAGE.parent / "plots"
HEADINGS = {
    "latency": "Latency",
    "throughput": "Throughput beside peers",
    "stages": "Where the time goes",
    "memory": "Memory and start-up",
    "backlog": "Memory under a long backlog",
    "workers": "How much more it does",
    "soak": "Memory over a simulated year",
    "growth": "What a long history costs",
}
_drawn: dict[Path, str] = {}
_COLOURS = ("#2f6f9f", "#c8782a", "#5a8f4e", "#8a5a99", "#7a7a7a")


def options(about: str, **defaults: Any) -> argparse.Namespace:
    """A bench's command line: an option for each default, of its type (False: a flag), and `--write`."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in ({"write": False} | defaults).items():
        option = f"--{name.replace('_', '-')}"
        if default is False:
            parser.add_argument(option, action="store_true")
        elif isinstance(default, list):
            parser.add_argument(option, type=int, nargs="+", default=default)
        else:
            parser.add_argument(option, type=type(default), default=default)
    return parser.parse_args()


def publish(name: str, text: str, *, write: bool) -> None:
    """Print a section; with `write`, replace it in the page, and write the plots."""
    print(text)
    if not write:
        return
    whole = PAGE.read_text(encoding="utf-8") if PAGE.exists() else "# Performance\n"
    begin, end = f"<!-- bench:{name} -->", f"<!-- /bench:{name} -->"
    made = f"{begin}\n## {HEADINGS[name]}\n\n{text.strip()}\n{end}"
    if begin in whole:
        whole = re.sub(f"{re.escape(begin)}.*?{re.escape(end)}", lambda _: made, whole, flags=re.DOTALL)
    else:
        whole = whole.rstrip() + f"\n\n{made}\n"
    PAGE.write_text(whole, encoding="utf-8")
    for path, drawn in _drawn.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(drawn, encoding="utf-8")
    _drawn.clear()


def measured_by(command: str) -> str:
    """The line under a table that says where its figures come from."""
    return f"`{command}`, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine.described()}."


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table in Markdown; every column but the first is set to the right."""
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    return "\n".join([*lines, *("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows)])


def verdict(value: float, goal: float, *, at_least: bool) -> str:
    """Whether a goal is met, in a word."""
    return "met" if (value >= goal if at_least else value <= goal) else "**missed**"


def bars(name: str, title: str, values: Sequence[tuple[str, float, str]]) -> Path:
    """A bar for each (label, value, the value in words); the file."""
    most = max((value for _, value, _ in values), default=1.0) or 1.0
    height = 46 + 30 * len(values)
    parts = [_text(12, 24, title, weight="bold")]
    for nth, (label, value, words) in enumerate(values):
        y, width = 40 + 30 * nth, 330 * value / most
        parts.append(_text(12, y + 16, label))
        parts.append(f'<rect x="250" y="{y}" width="{width:.1f}" height="22" fill="{_COLOURS[nth % 5]}"/>')
        parts.append(_text(256 + width, y + 16, words))
    return _draw(name, 720, height, parts)


def line(name: str, title: str, x_label: str, y_label: str, points: Sequence[tuple[float, float]]) -> Path:
    """A line through points, with the axes from 0; the file."""
    right = max((x for x, _ in points), default=1.0) or 1.0
    top = 1.15 * (max((y for _, y in points), default=1.0) or 1.0)
    places = " ".join(f"{60 + 620 * x / right:.1f},{230 - 180 * y / top:.1f}" for x, y in points)
    parts = [_text(12, 24, title, weight="bold"), '<path d="M60 50V230H680" fill="none" stroke="#444"/>']
    parts += [_text(60, 250, "0"), _text(640, 250, f"{right:.0f} {x_label}"), _text(8, 232, "0")]
    parts += [_text(8, 54, f"{top:.0f} {y_label}")]
    parts.append(f'<polyline points="{places}" fill="none" stroke="{_COLOURS[0]}" stroke-width="2"/>')
    return _draw(name, 740, 262, parts)


def _draw(name: str, width: int, height: int, parts: Sequence[str]) -> Path:
    path = PLOTS / f"{name}.svg"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
    style = "<style>text{font:13px sans-serif;fill:#222}</style>"
    background = f'<rect width="{width}" height="{height}" fill="#fff"/>'
    _drawn[path] = "\n".join([head, style, background, *parts, "</svg>", ""])
    return path


def _text(x: float, y: float, words: str, *, weight: str = "normal") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-weight="{weight}">{html.escape(words)}</text>'
