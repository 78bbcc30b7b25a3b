"""Which tests bear on a fault, and what they say: in a forked child of this process, or of one that is still fresh.

`Asked` has the collected tests, records which function of core each reaches, and runs those that bear on one fault.
`Slow` is a process that was forked before anything of mailbot was imported; each of its children imports the faulty
module from memory and has pytest collect the files anew.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
import os
import pickle
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

import pytest
from _pytest.runner import CallInfo

from tools.mutation.mutants import (
    CORE,
    ROOT,
    Mutant,
)

KEPT = ROOT / ".mutation"
SURVIVED, KILLED, REFUSED = 0, 1, 3
LONGEST_TEST = 3.0  # seconds of CPU: slower ones are not asked
LONGEST_IN_ALL = 6.0  # seconds of tests about one fault
WAITING = 20  # so many times its CPU seconds a child may last: the machine has others to serve
MEMORY = 4 << 30  # bytes of address space: a fault may collect without end
COLLECTING = 30.0  # seconds that a fresh process may take until it runs the first test


def in_child(work: Callable[[], int], seconds: float) -> int:
    """What `work` returns in a fork of this process; KILLED where it needs more seconds of CPU than these, or dies."""
    child = os.fork()
    if child == 0:
        code = KILLED
        try:
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 1))
            code = work()
        finally:
            os._exit(code)
    end = time.monotonic() + WAITING * seconds
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else KILLED
        time.sleep(0.003)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return KILLED


@dataclass
class Reach:
    """What was recorded of one test: seconds, and the functions of core that it enters ("module:function")."""

    seconds: float
    functions: frozenset[str]


@dataclass
class Asked:
    """The collected tests; `say` gets a line about the recording."""

    items: list[pytest.Item]
    say: Callable[[str], None]
    reach: dict[str, Reach] = field(default_factory=dict)

    def record(self, anew: bool) -> None:
        """Know what each test reaches: from what was kept, and by running the tests whose file is new."""
        KEPT.mkdir(exist_ok=True)
        files: dict[Path, list[pytest.Item]] = {}
        for item in self.items:
            files.setdefault(item.path, []).append(item)
        for path, items in files.items():
            kept = KEPT / f"{path.stem}-{hashlib.sha256(path.read_bytes()).hexdigest()[:12]}.json"
            if anew or not kept.exists():
                for old in KEPT.glob(f"{path.stem}-*.json"):
                    old.unlink()
                self.say(f"recording {path.name} ({len(items)} tests)")
                in_child(lambda kept=kept, items=items: _record(kept, items), 1200)  # type: ignore[misc]
            if kept.exists():
                for name, (seconds, functions) in json.loads(kept.read_text(encoding="utf-8")).items():
                    self.reach[name] = Reach(seconds, frozenset(functions))

    def about(self, mutant: Mutant) -> tuple[list[pytest.Item], float]:
        """The tests that bear on a fault, in the order in which they are asked, and how long they may take."""
        faulty = mutant.tree.body[mutant.top]
        wanted = f"{mutant.module}:" if mutant.at_import else f"{mutant.module}:{getattr(faulty, 'name', '')}"
        own = f"test_{mutant.module}"

        def reaches(name: str) -> bool:
            functions = self.reach[name].functions
            return wanted in functions if not mutant.at_import else any(one.startswith(wanted) for one in functions)

        def bears(item: pytest.Item) -> bool:
            # what a field is by default, the module's own tests may ask without entering any function of it
            return reaches(item.nodeid) or (mutant.at_import and item.path.stem == own)

        found = [item for item in self.items if item.nodeid in self.reach and bears(item)]
        found.sort(key=lambda item: (item.path.stem != own, self.reach[item.nodeid].seconds))
        chosen, seconds = [], 0.0
        for item in found:
            seconds += self.reach[item.nodeid].seconds
            if seconds > LONGEST_IN_ALL:
                break
            chosen.append(item)
        return chosen, 4 * min(seconds, LONGEST_IN_ALL) + 3

    def run(self, items: list[pytest.Item]) -> int:
        """Run these until the first fails."""
        for item, following in zip(items, [*items[1:], None], strict=True):
            if not _passes(item, following):
                return KILLED
        return SURVIVED


def _record(kept: Path, items: list[pytest.Item]) -> int:
    """Run each test with and without a look at what it enters; those that fail or take long are left out."""
    import coverage

    measured = coverage.Coverage(data_file=None, include=[str(CORE / "*.py")], config_file=False)
    measured.set_option("run:disable_warnings", ["no-data-collected"])  # a file that reaches nothing of core
    found: dict[str, tuple[float, list[str]]] = {}
    measured.start()
    for item, following in zip(items, [*items[1:], None], strict=True):
        measured.switch_context(item.nodeid)
        started = _cpu_seconds()
        passed = _passes(item, following)
        took = _cpu_seconds() - started
        if passed and took < LONGEST_TEST:
            found[item.nodeid] = (took, [])
    measured.stop()
    data = measured.get_data()
    for path in data.measured_files():
        names = _functions_by_line(Path(path))
        for line, contexts in data.contexts_by_lineno(path).items():
            for context in contexts:
                if line in names and context in found and names[line] not in found[context][1]:
                    found[context][1].append(names[line])
    kept.write_text(json.dumps(found), encoding="utf-8")
    return 0


def _passes(item: pytest.Item, following: pytest.Item | None) -> bool:
    """Run one test, as pytest does, without its report: to write one of a failure takes longer than most tests."""
    request = getattr(item, "_request", None)
    if hasattr(item, "_request") and not request:
        item._initrequest()  # type: ignore[attr-defined]
    hooks = item.ihook
    begun = CallInfo.from_call(lambda: hooks.pytest_runtest_setup(item=item), when="setup")
    done = [begun]
    if begun.excinfo is None:
        done.append(CallInfo.from_call(lambda: hooks.pytest_runtest_call(item=item), when="call"))
    ended = CallInfo.from_call(lambda: hooks.pytest_runtest_teardown(item=item, nextitem=following), when="teardown")
    return all(one.excinfo is None or one.excinfo.errisinstance(pytest.skip.Exception) for one in (*done, ended))


def _cpu_seconds() -> float:
    """Of this process and of the children that have ended: independent of what else the machine does."""
    return sum(os.times()[:4])


def _functions_by_line(path: Path) -> dict[int, str]:
    """Line to "module:function", for the statements in bodies of the module's own functions and classes."""
    lines = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            for number in range(node.body[0].lineno, (node.end_lineno or node.lineno) + 1):
                lines[number] = f"{path.stem}:{node.name}"
    return lines


class _Faulty(SourceFileLoader):
    """Loads one module from a tree instead of its file."""

    def __init__(self, name: str, path: str, tree: ast.Module) -> None:
        super().__init__(name, path)
        self._tree = tree

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._tree, self.path, "exec")


class _Finder:
    """Stands before the other finders for one module's sake."""

    def __init__(self, mutant: Mutant) -> None:
        self._name = f"mailbot.core.{mutant.module}"
        self._path = str(CORE / f"{mutant.module}.py")
        self._tree = mutant.tree

    def find_spec(self, name: str, path: object = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != self._name:
            return None
        return importlib.util.spec_from_file_location(name, self._path, loader=_Faulty(name, self._path, self._tree))


class Slow:
    """A process without mailbot that forks a child for each fault; the fault is in force when mailbot is imported."""

    def __init__(self) -> None:
        asking_in, self._asking = os.pipe()
        self._answers, answering = os.pipe()
        self._process = os.fork()
        if self._process == 0:
            os.close(self._asking)
            os.close(self._answers)
            try:
                _serve(asking_in, answering)
            finally:
                os._exit(0)
        os.close(asking_in)
        os.close(answering)

    def ask(self, mutant: Mutant, tests: list[str], seconds: float) -> int:
        """KILLED or SURVIVED, by these tests in a fresh process."""
        if not tests:
            return SURVIVED
        data = pickle.dumps((mutant, tests, seconds + COLLECTING))
        os.write(self._asking, len(data).to_bytes(8, "big"))
        with os.fdopen(os.dup(self._asking), "wb") as pipe:
            pipe.write(data)
        return os.read(self._answers, 1)[0]

    def close(self) -> None:
        os.close(self._asking)
        os.waitpid(self._process, 0)


def _serve(asking: int, answering: int) -> None:
    with os.fdopen(asking, "rb") as pipe:
        while length := pipe.read(8):
            mutant, tests, seconds = pickle.loads(pipe.read(int.from_bytes(length, "big")))
            answer = in_child(lambda mutant=mutant, tests=tests: _run_fresh(mutant, tests), seconds)  # type: ignore[misc]
            os.write(answering, bytes([answer]))


def _run_fresh(mutant: Mutant, tests: list[str]) -> int:
    sys.meta_path.insert(0, _Finder(mutant))
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    files = list(dict.fromkeys(name.partition("::")[0] for name in tests))
    only = _Only(set(tests))
    arguments = ["-x", "-q", "-p", "no:cacheprovider", "--assert=plain", *files]
    return SURVIVED if pytest.main(arguments, plugins=[only]) == 0 else KILLED


@dataclass
class _Only:
    """Leaves all tests but these out; names that the fault has changed are left out too."""

    names: set[str]

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = list(self._kept(items))

    def _kept(self, items: list[pytest.Item]) -> Iterator[pytest.Item]:
        return (item for item in items if item.nodeid in self.names)
