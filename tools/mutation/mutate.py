"""Would the tests notice? One fault at a time is put into a module of `mailbot.core`, and the unit tests are asked.

In: names of modules (none: all of core), how many mutants of each, a seed. Out: a table (module, mutants, killed,
survived, explained), each survivor with its line before and after, and an exit code that says whether any survived
which `tools/mutation/mutants_explained.txt` does not name. No file of the program is changed.

How it is quick: pytest collects all unit tests once, and a forked child is asked about each fault.

1. Which tests reach which function of core is recorded once under coverage (kept in `.mutation/`, a file for each
   test file, made anew when that changes; `--anew` records all). Only the tests that reach the faulty function are
   run, those of the module's own file first, then the quickest, until the first fails.
2. A fault in a function's body is put into the living function (its code object is replaced), one in a module's names
   into the living module (its assignments run again). What cannot be changed in a living module (fields and defaults
   of classes, what runs at import) is asked the slow way: a fresh process imports the faulty module from memory. So are
   all faults in a module's names that the quick way let live: another module may have derived something from them.
3. A child has a few times the CPU seconds that its tests took when they were recorded; a fault that loops is noticed.

    python tools/mutation/mutate.py lifecycle orders --each 40 --seed 1
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tools.mutation.mutants import (
    CORE,
    Mutant,
    mutant_at,
    places_of,
)
from tools.mutation.mutants_alive import (
    CannotApply,
    Functions,
    apply,
)
from tools.mutation.mutants_asked import (
    KILLED,
    REFUSED,
    SURVIVED,
    Asked,
    Slow,
    in_child,
)

EXPLAINED = ROOT / "bench" / "mutants_explained.txt"
# Each decides something by a few rules: all their faults are tried, however many are asked for.
SMALL = (
    "audience", "authentication", "commands", "confirmation", "held", "hours", "identity", "lifecycle", "masking",
    "order", "orders", "organisation", "quarantine_orders", "reply_path", "restraint", "route", "senders", "token",
    "waiting",
)  # fmt: skip


@dataclass
class Run:
    """Asks the collected tests about mutants, module by module; pytest calls it instead of running the tests."""

    modules: list[str]
    each: int
    seed: int
    anew: bool
    out: int
    slow: Slow
    unexplained: int = 0

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            self._say("tests cannot be collected")
            self.unexplained += 1
            return True
        asked = Asked(session.items, self._say)
        asked.record(self.anew)
        functions = Functions()
        gc.freeze()  # children share what is there: they must not touch it to collect
        explained = {line for line in EXPLAINED.read_text(encoding="utf-8").splitlines() if line[:1] not in ("", "#")}
        self._say(f"{'module':20} {'mutants':>8} {'killed':>8} {'survived':>9} {'explained':>10} {'seconds':>8}")
        sums = [0, 0, 0, 0]
        for module in self.modules:
            started = time.monotonic()
            mutants = list(self._sample(module))
            left = [mutant for mutant in mutants if self._survives(mutant, asked, functions)]
            known = [mutant for mutant in left if mutant.name in explained]
            row = [len(mutants), len(mutants) - len(left), len(left), len(known)]
            sums = [a + b for a, b in zip(sums, row, strict=True)]
            self._say(self._row(module, row) + f" {time.monotonic() - started:8.0f}")
            for mutant in left:
                if mutant not in known:
                    self._say(f"    line {mutant.line}: {mutant.name}")
            self.unexplained += len(left) - len(known)
        self._say(self._row("all", sums))
        return True

    def _sample(self, module: str) -> Iterator[Mutant]:
        places = places_of(module)
        if self.each and module not in SMALL:
            places = sorted(random.Random(self.seed).sample(places, min(self.each, len(places))))
        for place in places:
            yield mutant_at(module, place)

    def _survives(self, mutant: Mutant, asked: Asked, functions: Functions) -> bool:
        items, seconds = asked.about(mutant)

        def ask() -> int:
            try:
                apply(mutant, functions)
            except CannotApply:
                return REFUSED
            return asked.run(items)

        answer = in_child(ask, seconds)
        if answer == REFUSED or (answer == SURVIVED and (mutant.at_import or functions.ran_at_import(mutant))):
            answer = self.slow.ask(mutant, [item.nodeid for item in items], seconds)
        return answer != KILLED

    @staticmethod
    def _row(name: str, numbers: list[int]) -> str:
        return f"{name:20} {numbers[0]:8} {numbers[1]:8} {numbers[2]:9} {numbers[3]:10}"

    def _say(self, line: str) -> None:
        os.write(self.out, line.encode() + b"\n")


def main() -> int:
    """Measure; 1 where a fault survives that nobody has explained."""
    everything = sorted(path.stem for path in CORE.glob("*.py") if path.stem != "__init__")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="*", help="of mailbot/core; none: all")
    parser.add_argument("--each", type=int, default=40, help="so many mutants of each larger module; 0: all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--anew", action="store_true", help="record anew which tests reach what")
    wanted = parser.parse_args()
    for module in wanted.modules:
        if module not in everything:
            parser.error(f"no module of mailbot/core: {module}")
    os.chdir(ROOT)
    out = os.dup(1)
    slow = Slow()  # before anything of mailbot is imported
    run = Run(wanted.modules or everything, wanted.each, wanted.seed, wanted.anew, out, slow)
    with Path(os.devnull).open("w") as sink, contextlib.redirect_stdout(sink), contextlib.redirect_stderr(sink):
        code = pytest.main(["-q", "-s", "-p", "no:cacheprovider", "--assert=plain", "tests/unit"], plugins=[run])
    slow.close()
    return int(code) or int(run.unexplained > 0)


if __name__ == "__main__":
    sys.exit(main())
