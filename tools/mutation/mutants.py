"""Faults that can be put into a module of `mailbot.core`: each is the module's tree with one thing changed.

In: a module's name. Out: the places where a fault can be put (`places_of`), and the module with the fault of one place
(`mutant_at`). No file is changed.

Faults: a comparison turned or moved by one, `and` for `or`, a dropped `not`, a turned condition, a number plus one, a
changed text, True for False, + for -, nothing returned, a call left out. Not in annotations, docstrings, decorators,
enumerations (their members are compared with each other), asserts and what is raised.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "mailbot" / "core"
SHOWN = 150  # characters of a statement, around what is changed

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
    """One fault: the faulty tree, the statement before and after, and which statement of the module it is in."""

    module: str
    line: int
    what: str
    tree: ast.Module
    top: int
    at_import: bool  # not in a function's body: a default, a class's field, a name of the module

    @property
    def name(self) -> str:
        return f"{self.module}: {self.what}"


def places_of(module: str) -> list[tuple[int, int]]:
    """Every place where a fault can be put into a module: which node, which of its faults."""
    tree = ast.parse(source_of(module))
    return [(index, kind) for index, (_, faults) in enumerate(_changes(tree)) for kind in range(len(faults))]


def mutant_at(module: str, place: tuple[int, int]) -> Mutant:
    """The module with the fault of this place."""
    tree = ast.parse(source_of(module))
    node, faults = list(_changes(tree))[place[0]]
    above = list(_above(tree, node))
    around = next(outer for outer in above if isinstance(outer, ast.stmt))
    before = _shown(around)
    faults[place[1]]()
    ast.fix_missing_locations(tree)
    what = "  =>  ".join(_around_difference(before, _shown(around)))
    top = next(index for index, statement in enumerate(tree.body) if statement is above[-2])
    return Mutant(module, getattr(node, "lineno", 0), what, tree, top, not _in_body_of_function(above))


def source_of(module: str) -> str:
    """What stands in the module's file."""
    return (CORE / f"{module}.py").read_text(encoding="utf-8")


def _changes(tree: ast.Module) -> Iterator[tuple[ast.AST, list[Callable[[], None]]]]:
    """The nodes that can be made faulty, each with what makes it so. The order is that of the tree, always the same."""
    left_alone = {id(inner) for node in ast.walk(tree) for outer in _untouched(node) for inner in ast.walk(outer)}
    for node in ast.walk(tree):
        if id(node) not in left_alone and (changes := list(_changes_of(node))):
            yield node, changes


def _untouched(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Assert | ast.Import | ast.ImportFrom | ast.JoinedStr):
        yield node
    elif isinstance(node, ast.AnnAssign):
        yield node.annotation
    elif isinstance(node, ast.arg):
        if node.annotation is not None:
            yield node.annotation
    elif isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module):
        yield from getattr(node, "decorator_list", ())
        if isinstance(node, ast.FunctionDef) and node.returns:
            yield node.returns
        for statement in node.body:  # docstrings, of fields too
            is_docstring = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
            if is_docstring or (_is_enumeration(node) and isinstance(statement, ast.Assign)):
                yield statement
    elif (
        isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets)
    ) or isinstance(node, ast.Raise):
        yield node


def _is_enumeration(node: ast.AST) -> bool:
    return isinstance(node, ast.ClassDef) and any(ast.unparse(base).endswith("Enum") for base in node.bases)


def _changes_of(node: ast.AST) -> Iterator[Callable[[], None]]:
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in TURNED:
        yield lambda: setattr(node, "ops", [TURNED[type(node.ops[0])]()])
    elif isinstance(node, ast.BoolOp):
        yield lambda: setattr(node, "op", ast.Or() if isinstance(node.op, ast.And) else ast.And())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield lambda: setattr(node, "operand", ast.UnaryOp(ast.Not(), node.operand))
    elif isinstance(node, ast.If | ast.IfExp | ast.While) and isinstance(
        node.test, ast.Name | ast.Attribute | ast.Call
    ):
        yield lambda: setattr(node, "test", ast.UnaryOp(ast.Not(), node.test))
    elif isinstance(node, ast.BinOp) and type(node.op) in OTHER:
        yield lambda: setattr(node, "op", OTHER[type(node.op)]())
    elif isinstance(node, ast.Constant):
        yield from _constants(node)
    elif (isinstance(node, ast.Return) and node.value is not None and not _is_nothing(node.value)) or (
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


def _is_nothing(node: ast.AST) -> bool:
    """None, False, "", 0, (): who asks for truth can't tell them apart."""
    return (isinstance(node, ast.Constant) and not node.value) or (isinstance(node, ast.Tuple) and not node.elts)


def _above(tree: ast.Module, node: ast.AST) -> Iterator[ast.AST]:
    """The node, what it stands in, and so on, up to the module."""
    parents = {id(inner): outer for outer in ast.walk(tree) for inner in ast.iter_child_nodes(outer)}
    yield node
    while id(node) in parents:
        node = parents[id(node)]
        yield node


def _in_body_of_function(above: list[ast.AST]) -> bool:
    """Not in its defaults: those are made when the module is imported."""
    return any(
        isinstance(outer, ast.FunctionDef) and any(inner is statement for statement in outer.body)
        for inner, outer in pairwise(above)
    )


def _shown(statement: ast.AST) -> str:
    """A statement on one line; of one that holds others only what it says itself."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef | ast.If | ast.For | ast.While | ast.With):
        whole = ast.unparse(statement)
        inner = ast.unparse(statement.body[0]).split("\n", 1)[0]
        return " ".join(whole.split("\n" + " " * 4 + inner, 1)[0].split())
    return " ".join(ast.unparse(statement).split())


def _around_difference(before: str, after: str) -> tuple[str, str]:
    """Both cut to what is around the first difference, where they are long."""
    if max(len(before), len(after)) <= SHOWN:
        return before, after
    different = next((i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), len(before))
    start = max(0, different - SHOWN // 2)
    return before[start : start + SHOWN], after[start : start + SHOWN]
