"""Charts as inline SVG (SVG 1.1): columns over time in layers, horizontal bars, a week by hours.

In: numbers and labels. Out: `<svg>` text that scales to the available width; colours are CSS classes (c0, c1, …), so
that the page controls light and dark. Every bar has a <title> with its figures. Labels are escaped. Nothing is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

# Narrow enough that its text stays readable when a phone shrinks it.
WIDTH = 420
HEIGHT = 190
LEFT, BOTTOM, TOP = 36, 22, 8
MAX_LABELS = 4
MAX_LABEL = 62
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True)
class Layer:
    """One colour of a chart."""

    name: str
    css: str  # the class of its bars
    values: Sequence[int]  # one for each label


def over_time(labels: Sequence[str], columns: Sequence[Sequence[Layer]], words: str) -> str:
    """Draw columns side by side for each label, the layers of one stacked; a legend below. `words`: the alt text."""
    totals = [sum(layer.values[at] for layer in column) for column in columns for at in range(len(labels))]
    top = nice_maximum(max(totals, default=0))
    room = (WIDTH - LEFT) / max(1, len(labels))
    wide = room / len(columns)
    scale = (HEIGHT - BOTTOM - TOP) / top
    parts = [_grid(top, scale)]
    for at, label in enumerate(labels):
        inside = "".join(
            _column(column, at, LEFT + at * room + place * wide, max(0.6, wide - 0.8), scale)
            for place, column in enumerate(columns)
        )
        layers = [layer for column in columns for layer in column if layer.values[at]]
        figures = ", ".join(f"{layer.name} {layer.values[at]}" for layer in layers)
        if inside:
            parts.append(f"<g><title>{escape(label)}: {escape(figures)}</title>{inside}</g>")
    step = max(1, -(-len(labels) // MAX_LABELS))
    for at in range(0, len(labels), step):
        parts.append(f'<text x="{LEFT + at * room:.1f}" y="{HEIGHT - 6}">{escape(labels[at])}</text>')
    return _svg("".join(parts), WIDTH, HEIGHT, words) + _legend([layer for column in columns for layer in column])


def _column(layers: Sequence[Layer], at: int, x: float, wide: float, scale: float) -> str:
    """Draw one column, from the bottom up."""
    y = float(HEIGHT - BOTTOM)
    parts = []
    for layer in layers:
        high = layer.values[at] * scale
        y -= high
        if high:
            parts.append(f'<rect class="{layer.css}" x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}"/>')
    return "".join(parts)


def bars(rows: Sequence[tuple[str, int]], css: str, words: str) -> str:
    """Draw one bar for each row: the label above it, the figure at its end."""
    if not rows:
        return ""
    top = max(value for _, value in rows) or 1
    row_height = 40
    parts = []
    for at, (label, value) in enumerate(rows):
        y = at * row_height
        long = (WIDTH - 70) * value / top
        shown = label if len(label) <= MAX_LABEL else f"{label[: MAX_LABEL - 1]}…"
        parts.append(
            f'<g><title>{escape(label)}: {value}</title><text x="0" y="{y + 14}">{escape(shown)}</text>'
            f'<rect class="{css}" x="0" y="{y + 20}" width="{max(2.0, long):.1f}" height="12" rx="2"/>'
            f'<text class="figure" x="{max(2.0, long) + 6:.1f}" y="{y + 31}">{value}</text></g>'
        )
    return _svg("".join(parts), WIDTH, len(rows) * row_height, words)


def week(counts: Mapping[tuple[int, int], int], open_hours: Sequence[tuple[int, float, float]], words: str) -> str:
    """Draw a cell for each (weekday from 0, hour); `open_hours` are (weekday, from, to) of service."""
    top = max(counts.values(), default=0) or 1
    wide, high = (WIDTH - LEFT) / 24, 20
    parts = []
    for day, name in enumerate(DAYS):
        y = TOP + day * high
        parts.append(f'<text x="0" y="{y + 14}">{name}</text>')
        for hour in range(24):
            many = counts.get((day, hour), 0)
            strength = 0.06 + 0.94 * many / top if many else 0.04
            parts.append(
                f'<rect class="c0" fill-opacity="{strength:.2f}" x="{LEFT + hour * wide:.1f}" y="{y}" '
                f'width="{wide - 1.5:.1f}" height="{high - 1.5}" rx="2">'
                f"<title>{name} {hour:02}:00: {many}</title></rect>"
            )
    for day, start, end in open_hours:
        parts.append(
            f'<rect class="open" x="{LEFT + start * wide - 0.75:.1f}" y="{TOP + day * high - 0.75}" '
            f'width="{(end - start) * wide:.1f}" height="{high}"/>'
        )
    bottom = TOP + 7 * high
    parts += [f'<text x="{LEFT + hour * wide:.1f}" y="{bottom + 14}">{hour:02}</text>' for hour in range(0, 24, 3)]
    return _svg("".join(parts), WIDTH, bottom + BOTTOM, words)


def nice_maximum(value: int) -> int:
    """Return the top of an axis: 1, 2, 4, 5 or 10 times a power of ten, not below `value`."""
    power = 1
    while power * 10 < value:
        power *= 10
    return next((step * power for step in (1, 2, 4, 5, 10) if step * power >= value), max(1, value))


def _grid(top: int, scale: float) -> str:
    lines = []
    for quarter in range(5):
        value = top * quarter / 4
        y = HEIGHT - BOTTOM - value * scale
        lines.append(f'<line x1="{LEFT}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
        if value == int(value):
            lines.append(f'<text class="axis" x="{LEFT - 6}" y="{y + 4:.1f}">{int(value)}</text>')
    return "".join(lines)


def _svg(inside: str, width: int, height: float, words: str) -> str:
    return f'<svg viewBox="0 0 {width} {height:.0f}" role="img" aria-label="{escape(words)}">{inside}</svg>'


def _legend(layers: Sequence[Layer]) -> str:
    items = "".join(
        f'<span><i class="{layer.css}"></i>{escape(layer.name)} {sum(layer.values)}</span>' for layer in layers
    )
    return f'<p class="legend">{items}</p>'
