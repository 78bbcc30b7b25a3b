"""How well machines are told from people: a confusion matrix over labelled mails.

    python bench/score_robots.py LABELS.jsonl… [--baseline] [--misses] [--json]

LABELS.jsonl has a line per mail: {"file": "auto/x.eml", "label": "bounce"}; `file` is looked for beside LABELS.jsonl
and in the folder above. Labels: human, list (a person's through a mailing list), auto, bounce. `--baseline` asks
flufl.bounce as well, where it is installed. `--misses` names the mails that were judged otherwise, with the rule and
its reason.

A verdict agrees with a label if it is the same; with "human" and "list" also if it is noack or quarantine, for then
nothing but the automatic answer is withheld. Exit 1 if a person was taken for a machine.
"""

from __future__ import annotations

import argparse
import email
import importlib.util
import json
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mailbot.core.classify import classify
from mailbot.core.message import Kind
from mailbot.core.parse import parse_message

PERSONS = {"human", "list"}
SPARES_PERSONS = {Kind.HUMAN, Kind.NOACK, Kind.QUARANTINE}


@dataclass
class Score:
    """What came of all mails: counts by (label, verdict), the disagreements, and the time for the verdicts alone."""

    matrix: Counter[tuple[str, str]] = field(default_factory=Counter)
    misses: list[str] = field(default_factory=list)
    seconds: float = 0.0
    by_baseline: Counter[tuple[str, bool]] = field(default_factory=Counter)

    @property
    def labels(self) -> list[str]:
        return sorted({label for label, _ in self.matrix})

    def total(self, label: str) -> int:
        return sum(n for (of, _), n in self.matrix.items() if of == label)

    def right(self, label: str) -> int:
        return sum(n for (of, kind), n in self.matrix.items() if of == label and agrees(label, Kind(kind)))

    @property
    def persons_flagged(self) -> int:
        flagged = {Kind.AUTO, Kind.BOUNCE, Kind.LOOP}
        return sum(n for (label, kind), n in self.matrix.items() if label in PERSONS and Kind(kind) in flagged)


def agrees(label: str, kind: Kind) -> bool:
    """Does the verdict do what the label asks for?"""
    return kind in SPARES_PERSONS if label in PERSONS else kind.value == label


def score(labels: list[Path], baseline: bool) -> Score:
    """Judge every mail that the files name."""
    result = Score()
    for path in labels:
        for line in path.read_text("utf-8").splitlines():
            if line.strip():
                row = json.loads(line)
                judge(find(path.parent, row["file"]), row["label"], result, baseline)
    return result


def find(folder: Path, name: str) -> Path:
    """The mail, beside its labels or in the folder above."""
    for place in (folder / name, folder.parent / name, folder / Path(name).name):
        if place.is_file():
            return place
    raise SystemExit(f"{name}: named in the labels, but found neither in {folder} nor in {folder.parent}")


def judge(path: Path, label: str, result: Score, baseline: bool) -> None:
    """One mail."""
    raw = path.read_bytes()
    message = parse_message(raw)
    started = time.perf_counter()
    found = classify(message)
    result.seconds += time.perf_counter() - started
    result.matrix[label, found.kind.value] += 1
    if not agrees(label, found.kind):
        result.misses.append(f"{path.name}: {label}, judged {found.kind.value} by {found.rule}: {found.reason}")
    if baseline:
        from flufl.bounce import all_failures

        temporary, permanent = all_failures(email.message_from_bytes(raw))
        result.by_baseline[label, bool(temporary or permanent)] += 1


def show(result: Score) -> None:
    """A table for people."""
    kinds = [kind.value for kind in Kind]
    print(f"{'label':<10}" + "".join(f"{kind:>11}" for kind in kinds) + f"{'right':>16}")
    for label in result.labels:
        right, total = result.right(label), result.total(label)
        cells = "".join(f"{result.matrix[label, kind] or '.':>11}" for kind in kinds)
        print(f"{label:<10}{cells}{f'{right}/{total}':>10}{100 * right / total:>5.1f}%")
    print(f"persons taken for machines: {result.persons_flagged}")
    count = sum(result.matrix.values())
    print(f"{count} mails, {1000 * result.seconds / max(count, 1):.3f} ms a verdict (parsing not counted)")
    for label in sorted({label for label, _ in result.by_baseline}):
        total = result.by_baseline[label, True] + result.by_baseline[label, False]
        print(f"flufl.bounce: {label}: {result.by_baseline[label, True]}/{total} taken for bounces")


def main() -> int:
    """Read the command line, score, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("labels", nargs="+", type=Path)
    parser.add_argument("--baseline", action="store_true", help="ask flufl.bounce as well")
    parser.add_argument("--misses", action="store_true", help="name the mails that were judged otherwise")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    given = parser.parse_args()
    if given.baseline and importlib.util.find_spec("flufl.bounce") is None:
        raise SystemExit("flufl.bounce is not installed: pip install flufl.bounce")
    result = score(given.labels, given.baseline)
    if given.json:
        matrix = {label: {kind: n for (of, kind), n in result.matrix.items() if of == label} for label in result.labels}
        right = {label: result.right(label) / result.total(label) for label in result.labels}
        print(json.dumps({"matrix": matrix, "right": right, "misses": result.misses, "seconds": result.seconds}))
    else:
        show(result)
        if given.misses:
            print("\n".join(result.misses))
    return 1 if result.persons_flagged else 0


if __name__ == "__main__":
    sys.exit(main())
