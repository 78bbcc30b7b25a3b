"""Score everything that is named, each file by its content: `make score CORPORA=FOLDER` or `FILES="a.jsonl b/"`.

    python bench/understanding/score.py PATH… [--misses]

A PATH is a folder (searched) or a file. A .jsonl whose lines have `expected` goes to score_reply, `label` to
score_robots, `intent` or `tag` to score_intent (a file may go to several); .eml files that no list names go to
score_mime, with the .jsonl whose lines have facts (`subject`, `text_contains`, `attachments`) as their answer key.
Exit 1 if one of them ends so.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
FACTS = {"text_contains", "attachments"}


def keys_of(path: Path) -> set[str]:
    """The keys of its lines; none where it is no list of cases."""
    try:
        with path.open(encoding="utf-8") as lines:
            return {key for line in lines if line.strip() for key in json.loads(line)}
    except (ValueError, TypeError, UnicodeDecodeError):
        print(f"{path}: is no list of cases", file=sys.stderr)
        return set()


def plan(paths: Sequence[Path]) -> list[tuple[str, list[str]]]:
    """(script, arguments) for all that was named."""
    lists: dict[str, list[str]] = {"score_reply.py": [], "score_robots.py": [], "score_intent.py": []}
    labelled: set[Path] = set()
    keys: list[Path] = []
    mails: list[Path] = []
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.suffix == ".eml":
                mails.append(file)
            elif file.suffix == ".jsonl":
                found = keys_of(file)
                lists["score_reply.py"] += [str(file)] if "expected" in found else []
                lists["score_robots.py"] += [str(file)] if "label" in found else []
                lists["score_intent.py"] += [str(file)] if found & {"intent", "tag", "tags"} else []
                keys += [file] if found & FACTS and "file" in found else []
                if "label" in found:
                    labelled.add(file.parent)
    steps = [(script, files) for script, files in lists.items() if files]
    hard = [str(mail) for mail in mails if mail.parent not in labelled]
    if hard:
        facts = ["--facts", str(keys[0])] if keys else []
        steps.append(("score_mime.py", [*hard, "--baselines", *facts]))
    return steps


def main() -> int:
    """Command line; see the module's text."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("paths", nargs="+", type=Path)
    options.add_argument("--misses", action="store_true", help="show what mailbot got wrong")
    given = options.parse_args()
    missing = [str(path) for path in given.paths if not path.exists()]
    if missing:
        print(f"not there: {', '.join(missing)}", file=sys.stderr)
        return 2
    steps = plan(given.paths)
    if not steps:
        print("nothing to score: neither .jsonl with cases nor .eml", file=sys.stderr)
        return 2
    worst = 0
    for script, arguments in steps:
        misses = ["--misses"] if given.misses and script != "score_mime.py" else []
        print(f"\n== {script}", flush=True)
        worst = max(worst, subprocess.run([sys.executable, HERE / script, *arguments, *misses], check=False).returncode)
    return worst


if __name__ == "__main__":
    sys.exit(main())
