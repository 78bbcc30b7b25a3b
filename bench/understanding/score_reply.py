"""How often are the new words exactly right? mailbot beside the libraries that do the same, on the same cases.

    python bench/understanding/score_reply.py ../shared/corpora/reply/reply.jsonl [more.jsonl …] [--misses] [--json]

A file has one case a line: `{"id", "lang", "kind", "expected"}` and the mail as one of `input` (the body; HTML where
`kind` is "html"), `raw` (a whole mail), `file` (a path beside the list). Optional: `subject`.

Exact: the same after white space is squeezed. Token F1: harmonic mean of precision and recall over the bag of words,
1 where both are empty. Libraries that are not installed are left out; where quotequail finds nothing to unwrap, the
whole text is its answer, as its callers have it.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.understanding.score_robots import options
from mailbot.mail.mime.html_to_text import html_to_text
from mailbot.mail.mime.parser import parse_message
from mailbot.mail.reply.reply_text import extract_reply

Cutter = Callable[["Case"], str]


@dataclass(frozen=True)
class Case:
    """One mail and its new words."""

    id: str
    lang: str
    raw: bytes
    text: str
    expected: str


@dataclass
class Score:
    """Sums over cases."""

    cases: int = 0
    exact: int = 0
    f1: float = 0.0
    seconds: float = 0.0
    crashes: int = 0
    misses: list[tuple[str, str, str]] = field(default_factory=list)


def squeezed(text: str) -> str:
    """White space does not count."""
    return " ".join(text.split())


def token_f1(found: str, expected: str) -> float:
    """0 to 1."""
    have, want = Counter(found.split()), Counter(expected.split())
    if not have and not want:
        return 1.0
    common = sum((have & want).values())
    return 2 * common / (sum(have.values()) + sum(want.values()))


def cases_of(path: Path) -> Iterable[Case]:
    """The cases of one file."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip():
            yield case_of(json.loads(line), path.parent)


def case_of(row: dict[str, Any], folder: Path) -> Case:
    """A row → a whole mail, and the plain text that the other libraries are given."""
    if "file" in row:
        raw = (folder / row["file"]).read_bytes()
    elif "raw" in row:
        raw = str(row["raw"]).encode("utf-8", "surrogateescape")
    else:
        message = EmailMessage()
        message["From"], message["To"] = "a@sekolah.example", "support@helpdesk.example"
        message["Subject"] = str(row.get("subject") or "Re: #12345")
        message.set_content(row["input"], subtype="html" if row.get("kind") == "html" else "plain", cte="base64")
        raw = message.as_bytes()
    parsed = parse_message(raw)
    text = parsed.text or html_to_text(parsed.html)
    return Case(str(row["id"]), str(row.get("lang", "?")), raw, text, str(row["expected"]))


def cutters() -> dict[str, Cutter]:
    """mailbot, and what is installed beside it."""
    found: dict[str, Cutter] = {"mailbot": lambda case: extract_reply(case.raw).text}
    try:
        from mailparser_reply import EmailReplyParser as Mpr

        languages = ["en", "de", "fr", "es", "it", "nl", "pl", "da", "sv", "cs", "ja", "ko", "zh"]
        found["mail-parser-reply"] = lambda case: Mpr(languages=languages).parse_reply(text=case.text) or ""
    except ImportError:
        print("mail-parser-reply is not installed", file=sys.stderr)
    try:
        import quotequail

        def unwrapped(case: Case) -> str:
            parts = quotequail.unwrap(case.text)
            return case.text if parts is None else str(parts.get("text_top") or parts.get("text_bottom") or "")

        found["quotequail.unwrap"] = unwrapped
        found["quotequail.quote"] = lambda case: "\n".join(t for shown, t in quotequail.quote(case.text) if shown)
    except ImportError:
        print("quotequail is not installed", file=sys.stderr)
    try:
        from email_reply_parser import EmailReplyParser as Erp

        found["email-reply-parser"] = lambda case: str(Erp.parse_reply(case.text))
    except ImportError:
        print("email-reply-parser is not installed", file=sys.stderr)
    return found


def score(cases: list[Case], cutter: Cutter) -> tuple[Score, dict[str, Score]]:
    """(all, by language)."""
    total: Score = Score()
    by_language: dict[str, Score] = defaultdict(Score)
    for case in cases:
        start = time.process_time()
        try:
            found = cutter(case)
        except Exception as error:  # noqa: BLE001 (a library's crash is a result)
            found = ""
            total.crashes += 1
            print(f"{case.id}: {type(error).__name__}: {error}", file=sys.stderr)
        spent = time.process_time() - start
        exact = squeezed(found) == squeezed(case.expected)
        for each in (total, by_language[case.lang]):
            each.cases += 1
            each.exact += exact
            each.f1 += token_f1(found, case.expected)
            each.seconds += spent
        if not exact:
            total.misses.append((case.id, found, case.expected))
    return total, dict(by_language)


def main() -> int:
    """Prints a table a file."""
    chosen = options(__doc__)
    results: dict[str, Any] = {}
    for path in chosen.files:
        cases = list(cases_of(path))
        rows = {name: score(cases, cutter) for name, cutter in cutters().items()}
        results[str(path)] = {
            name: {
                "cases": total.cases,
                "exact": total.exact,
                "f1": round(total.f1 / max(1, total.cases), 4),
                "crashes": total.crashes,
                "ms": round(1000 * total.seconds / max(1, total.cases), 3),
                "languages": {lang: [s.exact, s.cases] for lang, s in sorted(by_language.items())},
            }
            for name, (total, by_language) in rows.items()
        }
        if not chosen.json:
            show(path, rows, chosen.misses)
    if chosen.json:
        print(json.dumps(results, ensure_ascii=False, indent=1))
    return 0


def show(path: Path, rows: dict[str, tuple[Score, dict[str, Score]]], misses: bool) -> None:
    """The table of one file."""
    lines = [f"{path}", f"{'':22}{'exact':>12}{'':>8}{'token F1':>10}{'ms a mail':>11}"]
    for name, (total, _) in rows.items():
        share = total.exact / max(1, total.cases)
        lines.append(
            f"{name:22}{f'{total.exact}/{total.cases}':>12}{share:>8.1%}{total.f1 / max(1, total.cases):>10.3f}"
            f"{1000 * total.seconds / max(1, total.cases):>11.2f}"
        )
    ours = rows["mailbot"][1]
    lines.append("by language: " + ", ".join(f"{lang} {s.exact}/{s.cases}" for lang, s in sorted(ours.items())))
    if misses:
        for identity, found, expected in rows["mailbot"][0].misses:
            lines += ["", f"== {identity}", "-- found", found, "-- expected", expected]
    print("\n".join(lines))


if __name__ == "__main__":
    sys.exit(main())
