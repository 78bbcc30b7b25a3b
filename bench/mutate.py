"""Would the tests notice? One fault at a time is put into a module of `mailbot.core`, and its tests are run.

In: names of modules (none: all of `TESTS`), how many mutants of each, a seed. Out: a table (module, mutants, killed,
survived), each survivor with its line before and after, and an exit code that says whether any survived which
`bench/mutants_explained.txt` does not name. No file is changed: a forked process imports the faulty module from memory.

Faults: a comparison turned or moved by one, `and` for `or`, a dropped `not`, a turned condition, a number plus one, a
changed text, True for False, + for -, nothing returned, a call left out. Not in annotations, docstrings and asserts.

    python bench/mutate.py lifecycle orders --each 40 --seed 1
"""

from __future__ import annotations

import argparse
import ast
import importlib.util
import io
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

ROOT = Path(__file__).resolve().parent.parent
EXPLAINED = ROOT / "bench" / "mutants_explained.txt"
LONGEST_SECONDS = 90

# Which tests are asked about a module: those of its own, and the quickest of those that use it most.
TESTS = {
    "audience": ("lifecycle", "orders"),
    "authentication": ("classify", "dkim_proof"),
    "commands": ("commands",),
    "confirmation": ("confirmation",),
    "hours": ("hours",),
    "identity": ("identity",),
    "lifecycle": ("lifecycle", "orders"),
    "order": ("order",),
    "orders": ("orders", "lifecycle"),
    "quarantine_orders": ("quarantine_orders",),
    "restraint": ("restraint",),
    "route": ("route",),
    "token": ("token",),
    "waiting": ("lifecycle", "orders"),
}

TURNED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
OTHER: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr, ast.Mod: ast.Mult, ast.Pow: ast.Mult,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One fault: the faulty tree and the statement before and after."""

    module: str
    line: int
    what: str
    tree: ast.Module

    @property
    def name(self) -> str:
        return f"{self.module}: {self.what}"


def places_of(module: str) -> list[tuple[int, int]]:
    """Every place where a fault can be put into a module: which node, which of its faults."""
    tree = ast.parse(_source(module))
    return [(index, kind) for index, (_, faults) in enumerate(_changes(tree)) for kind in range(len(faults))]


def mutant_at(module: str, place: tuple[int, int]) -> Mutant:
    """The module with the fault of this place."""
    tree = ast.parse(_source(module))
    node, faults = list(_changes(tree))[place[0]]
    around = _statement_around(tree, node)
    before = _shown(around)
    faults[place[1]]()
    ast.fix_missing_locations(tree)
    return Mutant(module, getattr(node, "lineno", 0), f"{before}  =>  {_shown(around)}", tree)


def _source(module: str) -> str:
    return (ROOT / "mailbot" / "core" / f"{module}.py").read_text(encoding="utf-8")


def _changes(tree: ast.Module) -> Iterator[tuple[ast.AST, list[Callable[[], None]]]]:
    """The nodes that can be made faulty, each with what makes it so. The order is that of the tree, always the same."""
    left_alone = {id(inner) for node in ast.walk(tree) for outer in _untouched(node) for inner in ast.walk(outer)}
    for node in ast.walk(tree):
        if id(node) not in left_alone and (changes := list(_changes_of(node))):
            yield node, changes


def _untouched(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Assert | ast.Import | ast.ImportFrom | ast.JoinedStr):
        yield node
    elif isinstance(node, ast.AnnAssign) or (isinstance(node, ast.arg) and node.annotation):
        yield node.annotation
    elif isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module):
        yield from getattr(node, "decorator_list", ())
        if isinstance(node, ast.FunctionDef) and node.returns:
            yield node.returns
        for statement in node.body:  # docstrings, of fields too
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                yield statement
    elif (
        isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets)
    ) or isinstance(node, ast.Raise):
        yield node


def _changes_of(node: ast.AST) -> Iterator[Callable[[], None]]:
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in TURNED:
        yield lambda: setattr(node, "ops", [TURNED[type(node.ops[0])]()])
    elif isinstance(node, ast.BoolOp):
        yield lambda: setattr(node, "op", ast.Or() if isinstance(node.op, ast.And) else ast.And())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield lambda: (setattr(node, "op", ast.Not()), setattr(node, "operand", ast.UnaryOp(ast.Not(), node.operand)))  # type: ignore[func-returns-value]
    elif isinstance(node, ast.If | ast.IfExp | ast.While) and isinstance(
        node.test, ast.Name | ast.Attribute | ast.Call
    ):
        yield lambda: setattr(node, "test", ast.UnaryOp(ast.Not(), node.test))
    elif isinstance(node, ast.BinOp) and type(node.op) in OTHER:
        yield lambda: setattr(node, "op", OTHER[type(node.op)]())
    elif isinstance(node, ast.Constant):
        yield from _constants(node)
    elif (isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value)) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    ):
        yield lambda: setattr(node, "value", ast.Constant(None))


def _constants(node: ast.Constant) -> Iterator[Callable[[], None]]:
    value = node.value
    if isinstance(value, bool):
        yield lambda: setattr(node, "value", not value)
    elif isinstance(value, int):
        yield lambda: setattr(node, "value", value + 1)
    elif isinstance(value, str):
        yield lambda: setattr(node, "value", value + "XX")
    elif isinstance(value, bytes):
        yield lambda: setattr(node, "value", value + b"XX")


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _statement_around(tree: ast.Module, node: ast.AST) -> ast.AST:
    parents = {id(inner): outer for outer in ast.walk(tree) for inner in ast.iter_child_nodes(outer)}
    while not isinstance(node, ast.stmt) and id(node) in parents:
        node = parents[id(node)]
    return node


def _shown(statement: ast.AST) -> str:
    """A statement on one line; of one that holds others only what it says itself."""
    return " ".join(ast.unparse(statement).split())[:300]


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
        self._path = str(ROOT / "mailbot" / "core" / f"{mutant.module}.py")
        self._tree = mutant.tree

    def find_spec(self, name: str, path: object = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != self._name:
            return None
        loader = _Faulty(name, self._path, self._tree)
        return importlib.util.spec_from_file_location(name, self._path, loader=loader)


def survives(mutant: Mutant | None, module: str) -> bool:
    """Do a module's tests pass with this fault in it (None: with none)? A fork of this process runs them."""
    child = os.fork()
    if child == 0:
        os._exit(_run(mutant, module))
    end = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)  # it runs for ever: noticed
    os.waitpid(child, 0)
    return False


def _run(mutant: Mutant | None, module: str) -> int:
    import pytest

    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    if mutant is not None:
        sys.meta_path.insert(0, _Finder(mutant))  # type: ignore[arg-type]
    files = [str(path) for name in TESTS[module] if (path := ROOT / "tests" / "unit" / f"test_{name}.py").exists()]
    sink = io.StringIO()
    with redirect_stdout(sink), redirect_stderr(sink):
        return int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "--assert=plain", *files]))


def main() -> int:
    """Measure; 1 where a fault survives that nobody has explained."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="*", choices=[*TESTS, []], help="of mailbot/core; none: all")
    parser.add_argument("--each", type=int, default=0, help="so many mutants of each module; 0: all")
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    explained = {line for line in EXPLAINED.read_text(encoding="utf-8").splitlines() if line[:1] not in ("", "#")}
    import pytest  # noqa: F401 - loaded once, for all forks

    unexplained = 0
    print(f"{'module':20} {'mutants':>8} {'killed':>8} {'survived':>9} {'explained':>10}", flush=True)
    for module in wanted.modules or TESTS:
        if not survives(None, module):
            print(f"{module:20} its tests fail without any fault")
            return 2
        places = places_of(module)
        if wanted.each:
            places = sorted(random.Random(wanted.seed).sample(places, min(wanted.each, len(places))))
        left = [mutant for place in places if survives(mutant := mutant_at(module, place), module)]
        known = [mutant for mutant in left if mutant.name in explained]
        killed = len(places) - len(left)
        print(f"{module:20} {len(places):8} {killed:8} {len(left):9} {len(known):10}", flush=True)
        for mutant in left:
            if mutant not in known:
                print(f"    line {mutant.line}: {mutant.name}", flush=True)
        unexplained += len(left) - len(known)
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
