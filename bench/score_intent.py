"""How well the meaning of a reply is understood: accuracy, a confusion matrix, and the error that must not happen.

    python bench/score_intent.py SENTENCES.jsonl… [--misses] [--json]

SENTENCES.jsonl has a line per text: {"text": "blm bisa jg", "intent": "still_broken"}; intents as in
`mailbot.core.message.Intent`. Without a file, our own fixtures/intents/sentences.jsonl is scored: the rules were made
with those in view, so the figure says that nothing got worse, not how good they are. Exit 1 if a text that says "still
broken" was taken for thanks.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mailbot.core.intent import intent_of
from mailbot.core.message import Intent

OWN = Path(__file__).resolve().parent.parent / "fixtures" / "intents" / "sentences.jsonl"


def main() -> int:
    """Read the command line, score, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("sentences", nargs="*", type=Path, default=[OWN])
    parser.add_argument("--misses", action="store_true", help="list the texts that were understood otherwise")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    given = parser.parse_args()
    matrix: Counter[tuple[str, str]] = Counter()
    misses: list[tuple[str, str, str]] = []
    seconds = 0.0
    for path in given.sentences:
        for line in filter(str.strip, path.read_text("utf-8").splitlines()):
            row = json.loads(line)
            started = time.perf_counter()
            found = intent_of(row["text"]).value
            seconds += time.perf_counter() - started
            matrix[row["intent"], found] += 1
            if found != row["intent"]:
                misses.append((row["intent"], found, row["text"]))
    count = sum(matrix.values())
    right = sum(n for (label, found), n in matrix.items() if label == found)
    worst = matrix[Intent.STILL_BROKEN.value, Intent.THANKS.value]
    if given.json:
        rows = {label: {f: n for (of, f), n in matrix.items() if of == label} for label, _ in matrix}
        print(json.dumps({"texts": count, "right": right, "broken_as_thanks": worst, "matrix": rows, "misses": misses}))
    else:
        intents = [intent.value for intent in Intent]
        print(f"{'intent':<14}" + "".join(f"{intent:>14}" for intent in intents))
        for label in intents:
            print(f"{label:<14}" + "".join(f"{matrix[label, found] or '.':>14}" for found in intents))
        print(f"right: {right}/{count} = {100 * right / max(count, 1):.1f}%; still broken taken for thanks: {worst}")
        print(f"{1000 * seconds / max(count, 1):.3f} ms a text")
        if given.misses:
            print("\n".join(f"{label}, understood as {found}: {text!r}" for label, found, text in misses))
    return 1 if worst else 0


if __name__ == "__main__":
    sys.exit(main())
