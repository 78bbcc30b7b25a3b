"""What a reply means, and which ticket its subject names: how often mailbot is right, and the one error that costs.

    python bench/understanding/score_intent.py CASES.jsonl… [--misses] [--json]

A file has one mail a line: `id` (else the number of its line), `intent` (still_broken, thanks, status, other) and/or
`tag` (a number, a list of them likeliest first, or null for none), and the mail as one of `text` (the new words
alone), `input` (a body; HTML where `kind` is "html"), `raw`, `file` (a path beside the list); `subject` where the
mail is none. From a whole mail the new words are cut first, as the desk does. "Still broken" taken for thanks is
counted apart: it must not happen.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.understanding.score_robots import mail_of, options
from mailbot.mail.intent.intent import intent_of
from mailbot.mail.mime.parser import parse_message
from mailbot.mail.reply.reply_text import cut_html, cut_text, extract_reply
from mailbot.mail.subject import subject_tags


@dataclass
class Score:
    """`matrix`: (expected, found) → mails; `tags`: (right, asked)."""

    matrix: Counter[tuple[str, str]] = field(default_factory=Counter)
    tags_right: int = 0
    tags_asked: int = 0
    misses: list[tuple[str, str, str, str]] = field(default_factory=list)

    @property
    def lost(self) -> int:
        """Schools that would be left alone."""
        return self.matrix["still_broken", "thanks"]


def words_of(row: dict[str, Any], folder: Path) -> tuple[str, str]:
    """(new words, subject) of a row."""
    if "text" in row:
        return str(row["text"]), str(row.get("subject") or "")
    if "input" in row:
        cut = cut_html if row.get("kind") == "html" else cut_text
        return cut(str(row["input"])).text, str(row.get("subject") or "")
    raw = mail_of(row, folder)
    return extract_reply(raw).text, parse_message(raw).subject


def expected_tags(row: dict[str, Any]) -> list[int]:
    """The first of them must be found first."""
    given = row.get("tag", row.get("tags"))
    numbers = given if isinstance(given, list) else [] if given in (None, "") else [given]
    return [int(str(number).lstrip("#")) for number in numbers]


def score(path: Path) -> Score:
    """One file."""
    total = Score()
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        row = json.loads(line) if line.strip() else {}
        row.setdefault("id", f"line {number}")
        if not {"intent", "tag", "tags"} & row.keys():
            continue
        words, subject = words_of(row, path.parent)
        if row.get("intent"):
            found = intent_of(words).value
            total.matrix[str(row["intent"]), found] += 1
            if found != row["intent"]:
                total.misses.append((str(row["id"]), str(row["intent"]), found, words))
        if {"tag", "tags"} & row.keys():
            wanted, tags = expected_tags(row)[:1], list(subject_tags(subject))[:1]
            total.tags_asked += 1
            total.tags_right += tags == wanted
            if tags != wanted:
                total.misses.append((str(row["id"]), f"tag {wanted}", f"tag {tags}", subject))
    return total


def show(path: Path, found: Score, misses: bool) -> None:
    """The figures of one file."""
    print(path)
    cases = sum(found.matrix.values())
    if cases:
        right = sum(many for (expected, got), many in found.matrix.items() if expected == got)
        print(f"  intent {right}/{cases} ({right / cases:.1%}); still broken taken for thanks: {found.lost}")
        columns = sorted({got for _, got in found.matrix})
        print(f"  {'expected':14}" + "".join(f"{got:>14}" for got in columns))
        for expected in sorted({expected for expected, _ in found.matrix}):
            print(f"  {expected:14}" + "".join(f"{found.matrix[expected, got]:>14}" for got in columns))
    if found.tags_asked:
        print(f"  tag {found.tags_right}/{found.tags_asked} ({found.tags_right / found.tags_asked:.1%})")
    for identity, expected, got, words in found.misses if misses else ():
        print(f"  {identity}: {expected}, found {got}: {' '.join(words.split())[:120]}")


def main() -> int:
    """Command line; see the module's text. Exit 1 if a school would be left alone."""
    given = options(__doc__)
    found = {path: score(path) for path in given.files}
    if given.json:
        document = {
            str(path): {
                "matrix": [[*pair, many] for pair, many in sorted(each.matrix.items())],
                "lost": each.lost,
                "tags": [each.tags_right, each.tags_asked],
                "misses": each.misses,
            }
            for path, each in found.items()
        }
        print(json.dumps(document, ensure_ascii=False, indent=1))
    else:
        for path, each in found.items():
            show(path, each, given.misses)
    return 1 if any(each.lost for each in found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
