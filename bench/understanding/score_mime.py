"""How well mail is parsed: crashes, time, memory, defects, and facts where an answer key is given.

    python bench/understanding/score_mime.py FOLDER|FILE.eml… [--facts KEY.jsonl] [--baselines] [--differences] [--json]

FOLDER is searched for .eml files. `--baselines` runs the standard library (policy.default, every value read) and
mail-parser over the same mails, in the same process. `--differences` lists where they see other facts than mailbot.
KEY.jsonl has a line per mail: {"file": "x.eml", "subject": …, "from": …, "text_contains": […], "attachments":
[{"name": …, "size": …}]}; what a line doesn't name isn't scored. Exit 1 if anything crashed.
"""

from __future__ import annotations

import argparse
import email
import json
import logging
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mailbot.mail.mime.parser import parse_message


@dataclass
class Facts:
    """What a parser sees in a mail."""

    subject: str = ""
    sender: str = ""
    text: str = ""
    attachments: list[tuple[str, int]] = field(default_factory=list)
    defects: tuple[str, ...] = ()


@dataclass
class Run:
    """One parser over all mails."""

    name: str
    seconds: float = 0.0
    size: int = 0
    slowest: tuple[float, str] = (0.0, "")
    crashes: list[tuple[str, str]] = field(default_factory=list)
    facts: dict[str, Facts] = field(default_factory=dict)


def by_mailbot(raw: bytes) -> Facts:
    """mailbot's own reading."""
    message = parse_message(raw)
    files = [(each.name, each.size) for each in message.attachments]
    return Facts(message.subject, message.from_addr, message.text, files, message.defects)


def by_stdlib(raw: bytes) -> Facts:
    """The standard library's, with its modern policy and every value read, as a careful program would."""
    message = email.message_from_bytes(raw, policy=default)
    assert isinstance(message, EmailMessage)
    body = message.get_body(("plain", "html"))
    text = str(body.get_content()) if body is not None else ""
    files = []
    for part in message.iter_attachments():
        content: Any = part.get_content() if part.get_content_maintype() != "multipart" else b""
        data = content.encode("utf-8", "replace") if isinstance(content, str) else content
        files.append((part.get_filename() or "", len(data) if isinstance(data, bytes) else 0))
    addresses = message["From"].addresses if message["From"] else ()
    for name in ("To", "Cc", "Date", "Message-ID", "References"):
        str(message[name])
    return Facts(str(message["Subject"] or ""), addresses[0].addr_spec.lower() if addresses else "", text, files)


def by_mail_parser(raw: bytes) -> Facts:
    """mail-parser's."""
    import mailparser

    parsed = mailparser.parse_from_bytes(raw)
    subject = parsed.subject[0] if isinstance(parsed.subject, list) else parsed.subject
    files = [(each["filename"] or "", len(each["payload"])) for each in parsed.attachments]
    sender = parsed.from_[0][1].lower() if parsed.from_ else ""
    return Facts(str(subject or ""), sender, "\n".join(parsed.text_plain or parsed.text_html), files)


PARSERS: dict[str, Callable[[bytes], Facts]] = {
    "mailbot": by_mailbot,
    "stdlib": by_stdlib,
    "mail-parser": by_mail_parser,
}


def run_parser(name: str, mails: Iterable[tuple[str, bytes]]) -> Run:
    """Every mail through one parser; exceptions are counted, nothing else stops."""
    run = Run(name)
    parser = PARSERS[name]
    for label, raw in mails:
        start = time.perf_counter()
        try:
            run.facts[label] = parser(raw)
        except Exception as fault:  # noqa: BLE001 - counting them is the purpose
            run.crashes.append((label, f"{type(fault).__name__}: {fault}"[:100]))
        took = time.perf_counter() - start
        run.seconds += took
        run.size += len(raw)
        run.slowest = max(run.slowest, (took, label))
    return run


def score_facts(run: Run, key: Path) -> tuple[int, int, list[str]]:
    """(facts right, facts asked, the wrong ones in words)."""
    right, wrong = 0, []
    for line in key.read_text("utf-8").splitlines():
        expected = json.loads(line)
        seen = run.facts.get(Path(expected["file"]).name, Facts())
        words = " ".join(seen.text.split())
        checks: list[tuple[str, bool]] = []
        if "subject" in expected:
            checks.append((f"subject {expected['subject']!r}", seen.subject == expected["subject"]))
        if "from" in expected:
            checks.append((f"from {expected['from']!r}", seen.sender == expected["from"].lower()))
        for part in expected.get("text_contains", ()):
            checks.append((f"text {part!r}", " ".join(part.split()) in words))
        for wanted in expected.get("attachments", ()):
            found = [each for each in seen.attachments if each[0] == wanted.get("name", each[0])]
            fits = any(each[1] == wanted.get("size", each[1]) for each in found)
            checks.append((f"attachment {wanted}", fits))
        right += sum(good for _, good in checks)
        wrong += [f"{expected['file']}: {what}" for what, good in checks if not good]
    return right, right + len(wrong), wrong


def differences(mine: Run, other: Run) -> list[str]:
    """Where another parser sees another subject, sender or number of files; one line each."""
    lines = []
    for label, facts in mine.facts.items():
        theirs = other.facts.get(label)
        if theirs is None:
            continue
        pairs = (
            ("subject", " ".join(facts.subject.split()), " ".join(theirs.subject.split())),
            ("from", facts.sender, theirs.sender),
            ("files", str(len(facts.attachments)), str(len(theirs.attachments))),
            ("text", " ".join(facts.text.split())[:60], " ".join(theirs.text.split())[:60]),
        )
        lines += [f"{label}: {what} {a[:70]!r}, {other.name} {b[:70]!r}" for what, a, b in pairs if a != b]
    return lines


def read_mails(paths: list[str]) -> list[tuple[str, bytes]]:
    """(file name, bytes) of every .eml named or below a folder named."""
    files: list[Path] = []
    for path in map(Path, paths):
        files += sorted(path.rglob("*.eml")) if path.is_dir() else [path]
    return [(file.name, file.read_bytes()) for file in files]


def summary(run: Run) -> dict[str, Any]:
    """The run in figures."""
    megabytes = run.size / 1e6 or 1e-9
    codes = Counter(each.partition(":")[0] for facts in run.facts.values() for each in facts.defects)
    return {
        "parser": run.name,
        "mails": len(run.facts) + len(run.crashes),
        "crashes": len(run.crashes),
        "ms_per_mail": round(run.seconds * 1e3 / max(1, len(run.facts) + len(run.crashes)), 3),
        "s_per_MB": round(run.seconds / megabytes, 4),
        "slowest_ms": round(run.slowest[0] * 1e3, 1),
        "slowest": run.slowest[1],
        "defects": dict(codes.most_common()),
    }


def main() -> int:
    """Command line; see the module's text."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("paths", nargs="+", metavar="FOLDER|FILE")
    options.add_argument("--facts", type=Path, metavar="KEY.jsonl")
    options.add_argument("--baselines", action="store_true")
    options.add_argument("--differences", action="store_true")
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    logging.disable(logging.CRITICAL)  # mail-parser comments on every odd mail
    mails = read_mails(given.paths)
    by_mailbot(b"")  # imports are no parsing time
    runs = [run_parser(name, mails) for name in (PARSERS if given.baselines or given.differences else ("mailbot",))]
    report: dict[str, Any] = {"runs": [summary(run) for run in runs]}
    if given.facts:
        names = ("right", "asked", "wrong")
        report["facts"] = {run.name: dict(zip(names, score_facts(run, given.facts), strict=True)) for run in runs}
    if given.differences:
        report["differences"] = [line for other in runs[1:] for line in differences(runs[0], other)]
    if given.json:
        print(json.dumps(report, ensure_ascii=False, indent=1))
    else:
        _print(report, runs)
    return 1 if runs[0].crashes or any("parser-fault" in str(facts.defects) for facts in runs[0].facts.values()) else 0


def _print(report: dict[str, Any], runs: list[Run]) -> None:
    print(f"{'parser':12} {'mails':>6} {'crashes':>8} {'ms/mail':>9} {'s/MB':>8}  slowest")
    for each in report["runs"]:
        figures = f"{each['mails']:6} {each['crashes']:8} {each['ms_per_mail']:9} {each['s_per_MB']:8}"
        print(f"{each['parser']:12} {figures}  {each['slowest_ms']} ms {each['slowest']}")
    print("defects:", ", ".join(f"{code} {count}" for code, count in report["runs"][0]["defects"].items()) or "none")
    for run in runs:
        for label, fault in run.crashes:
            print(f"crash of {run.name}: {label}: {fault}")
    for name, score in report.get("facts", {}).items():
        share = 100 * score["right"] / max(1, score["asked"])
        print(f"facts of {name}: {score['right']} of {score['asked']} ({share:.1f} %)")
        for line in score["wrong"]:
            print("  wrong:", line)
    for line in report.get("differences", ()):
        print(line)


if __name__ == "__main__":
    sys.exit(main())
