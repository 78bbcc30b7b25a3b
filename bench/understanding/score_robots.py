"""Persons, robots, bounces told apart: the confusion matrix, what was missed, and how long it took.

    python bench/understanding/score_robots.py LABELS.jsonl… [--misses] [--json]

A file has one mail a line: `{"id", "label"}` and the mail as `file` (a path beside the list, or one folder above) or
`raw`. Labels: human, auto, bounce; others are counted as they are. A person's mail that only gets no automatic answer
(NOACK) counts as human; what would be held (QUARANTINE) and our own (LOOP) count as what they are. flufl.bounce, where
it is installed, is asked for bounces on the same mails.
"""

from __future__ import annotations

import argparse
import email
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from email.policy import default
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mailbot.mail.classify.rules import classify_raw

COUNTS_AS = {"noack": "human"}


@dataclass
class Score:
    """What one judge said. `matrix`: (label, verdict) → mails."""

    matrix: Counter[tuple[str, str]] = field(default_factory=Counter)
    seconds: float = 0.0
    crashes: int = 0
    misses: list[tuple[str, str, str]] = field(default_factory=list)

    def share(self, label: str) -> tuple[int, int]:
        """(right, all) of the mails with this label."""
        return self.matrix[label, label], sum(n for (found, _), n in self.matrix.items() if found == label)


def cases_of(path: Path) -> Iterable[tuple[str, str, bytes]]:
    """(id, label, mail) of each line."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip():
            row = json.loads(line)
            yield str(row["id"]), str(row["label"]), mail_of(row, path.parent)


def mail_of(row: dict[str, Any], folder: Path) -> bytes:
    """The mail of a row, wherever its path begins."""
    if "raw" in row:
        return str(row["raw"]).encode("utf-8", "surrogateescape")
    places = [folder / row["file"], folder.parent / row["file"], folder / Path(row["file"]).name]
    return next((place for place in places if place.is_file()), places[0]).read_bytes()


def by_mailbot(raw: bytes) -> tuple[str, str]:
    """(verdict, why)."""
    found = classify_raw(raw)
    kind = found.kind.value
    return COUNTS_AS.get(kind, kind), f"{found.rule}: {found.reason}"


def by_flufl(raw: bytes) -> tuple[str, str]:
    """It knows bounces only."""
    from flufl.bounce import all_failures

    temporary, permanent = all_failures(email.message_from_bytes(raw, policy=default))
    return ("bounce" if temporary or permanent else "human"), ""


def judges() -> dict[str, Callable[[bytes], tuple[str, str]]]:
    """mailbot, and what is installed beside it."""
    found: dict[str, Callable[[bytes], tuple[str, str]]] = {"mailbot": by_mailbot}
    try:
        import flufl.bounce  # noqa: F401

        found["flufl.bounce"] = by_flufl
    except ImportError:
        print("flufl.bounce is not installed", file=sys.stderr)
    return found


def score(cases: list[tuple[str, str, bytes]], judge: Callable[[bytes], tuple[str, str]]) -> Score:
    """Every mail before one judge."""
    total = Score()
    for identity, label, raw in cases:
        start = time.process_time()
        try:
            verdict, why = judge(raw)
        except Exception as error:  # noqa: BLE001 - a library's crash is a result
            verdict, why = "crash", f"{type(error).__name__}: {error}"
            total.crashes += 1
        total.seconds += time.process_time() - start
        total.matrix[label, verdict] += 1
        if verdict != label:
            total.misses.append((identity, label, f"{verdict} ({why})"))
    return total


def show(path: Path, rows: dict[str, Score], misses: bool) -> None:
    """The matrices of one file."""
    print(path)
    for name, found in rows.items():
        cases = sum(found.matrix.values())
        verdicts = sorted({verdict for _, verdict in found.matrix})
        print(f"{name:16} {1000 * found.seconds / max(1, cases):.2f} ms a mail, {found.crashes} crashes")
        print(f"  {'label':10}" + "".join(f"{verdict:>12}" for verdict in verdicts) + f"{'right':>10}")
        for label in sorted({label for label, _ in found.matrix}):
            right, every = found.share(label)
            figures = "".join(f"{found.matrix[label, verdict]:>12}" for verdict in verdicts)
            print(f"  {label:10}{figures}{right / max(1, every):>10.1%}")
    for identity, label, verdict in rows["mailbot"].misses if misses else ():
        print(f"  {identity}: {label}, taken for {verdict}")


def options(about: str | None) -> argparse.Namespace:
    """The command line of a script that scores lists of cases."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--misses", action="store_true", help="show what mailbot got wrong")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of tables")
    return parser.parse_args()


def main() -> int:
    """Command line; see the module's text."""
    given = options(__doc__)
    results: dict[str, Any] = {}
    for path in given.files:
        cases = list(cases_of(path))
        rows = {name: score(cases, judge) for name, judge in judges().items()}
        results[str(path)] = {
            name: {
                "matrix": [[label, verdict, many] for (label, verdict), many in sorted(found.matrix.items())],
                "crashes": found.crashes,
                "ms": round(1000 * found.seconds / max(1, len(cases)), 3),
                "misses": found.misses,
            }
            for name, found in rows.items()
        }
        if not given.json:
            show(path, rows, given.misses)
    if given.json:
        print(json.dumps(results, ensure_ascii=False, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
