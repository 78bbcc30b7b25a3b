"""Puts a fault into a module that is already imported and in use, in this process only (a forked child's).

In: a `Mutant`, and all functions of mailbot.core that live. Faults in functions' bodies: the code object of every
living function of that name is replaced, whoever imported it from where. Faults in a module's names: the module's
assignments run again beside it, with its own functions and classes, and what came out differently replaces the old
value, also in modules that have imported it by its name. Everything else is refused with `CannotApply`.
"""

from __future__ import annotations
import __future__

import ast
import gc
import re
import sys
from collections.abc import Iterator
from datetime import timedelta
from types import CodeType, FunctionType, ModuleType

from tools.mutation.mutants import (
    CORE,
    Mutant,
    source_of,
)

PLAIN = (str, bytes, int, float, tuple, frozenset, set, list, dict, re.Pattern, timedelta)
STATEMENTS = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Expr, ast.For, ast.If)
Key = tuple[str, str, int]


class CannotApply(Exception):
    """This fault is only in force if the module is imported with it."""


class Functions:
    """The living functions of mailbot.core by their code: file, qualified name, first line."""

    def __init__(self) -> None:
        self._living: dict[Key, list[FunctionType]] = {}
        for found in gc.get_objects():
            if isinstance(found, FunctionType) and found.__code__.co_filename.startswith(str(CORE)):
                self._living.setdefault(_key(found.__code__), []).append(found)
        self._at_import: dict[str, set[str]] = {}

    def of(self, code: CodeType) -> list[FunctionType]:
        return self._living.get(_key(code), [])

    def ran_at_import(self, mutant: Mutant) -> bool:
        """Is the faulty function called by its module's own statements?"""
        if mutant.module not in self._at_import:
            tree = ast.parse(source_of(mutant.module))
            names = {
                inner.id
                for statement in tree.body
                if isinstance(statement, STATEMENTS)
                for inner in ast.walk(statement)
                if isinstance(inner, ast.Name)
            }
            self._at_import[mutant.module] = names
        faulty = mutant.tree.body[mutant.top]
        return isinstance(faulty, ast.FunctionDef) and faulty.name in self._at_import[mutant.module]


def apply(mutant: Mutant, functions: Functions) -> None:
    """Put the fault into force. Errors: `CannotApply`."""
    if mutant.at_import:
        _apply_to_names(mutant)
    else:
        _apply_to_functions(mutant, functions)


def _key(code: CodeType) -> Key:
    return (code.co_filename, code.co_qualname, code.co_firstlineno)


def _apply_to_functions(mutant: Mutant, functions: Functions) -> None:
    path = str(CORE / f"{mutant.module}.py")
    sound = {_key(code): code for code in _codes(compile(source_of(mutant.module), path, "exec", dont_inherit=True))}
    changed = False
    for code in _codes(compile(mutant.tree, path, "exec", dont_inherit=True)):
        if code == sound.get(_key(code)):
            continue
        for function in functions.of(code):
            if function.__code__.co_freevars != code.co_freevars:
                raise CannotApply("what the function takes from around it is another")
            function.__code__ = code
            changed = True
    if not changed:
        raise CannotApply("no living function has this code")


def _codes(code: CodeType) -> Iterator[CodeType]:
    """The functions in a module's code, those in classes too."""
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield inner
            yield from _codes(inner)


def _apply_to_names(mutant: Mutant) -> None:
    faulty = mutant.tree.body[mutant.top]
    if not isinstance(faulty, ast.Assign | ast.AnnAssign | ast.AugAssign):
        raise CannotApply("a default, or a class's field")
    module = sys.modules[f"mailbot.core.{mutant.module}"]
    targets = faulty.targets if isinstance(faulty, ast.Assign) else [faulty.target]
    named = {inner.id for target in targets for inner in ast.walk(target) if isinstance(inner, ast.Name)}
    sound = _run_again(module, ast.parse(source_of(mutant.module)))
    broken = _run_again(module, mutant.tree)
    for name, old in list(vars(module).items()):
        new = broken[name]
        derived = isinstance(new, PLAIN) and new != old and sound[name] == old
        if name in named or derived:
            _put_in_place(module, name, old, new)


def _run_again(module: ModuleType, tree: ast.Module) -> dict[str, object]:
    """The module's names after its assignments ran again, with the functions and classes that it has."""
    statements = [statement for statement in tree.body if isinstance(statement, STATEMENTS)]
    names = dict(vars(module))
    flags = __future__.annotations.compiler_flag
    again = ast.Module([s for s in statements if not _only_for_types(s)], [])
    exec(compile(again, str(module.__file__), "exec", flags, dont_inherit=True), names)
    return names


def _only_for_types(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.unparse(statement.test)


def _put_in_place(module: ModuleType, name: str, old: object, new: object) -> None:
    setattr(module, name, new)
    for other in list(sys.modules.values()):
        if other.__name__.startswith(("mailbot.", "tests.")) and vars(other).get(name) is old:
            setattr(other, name, new)
