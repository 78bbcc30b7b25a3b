"""The limits that keep the code easy to enter, checked: sizes, parameters, packages, levels of imports.

    python tools/house_check.py [ROOT]

In: the package `mailbot` below ROOT (default: this repository). Out: a short table on stdout: each package with its
modules and lines, then each limit with what breaks it. Exit 1 where a limit is broken.

Limits: a module 400 lines, a function 60, five parameters besides self (as ruff's PLR0913, which also knows the
exceptions: `# noqa: PLR0913` with a reason, which a Typer command needs). Modules of `vocabulary` are word lists that
nobody reads from top to bottom: 800 lines. Migrations are frozen once released: no limit on their functions.
Which package may import which is judged by the import contracts in pyproject.toml; here only how many levels there are.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

PACKAGES = {
    "cli", "config", "daemon", "demo", "desk", "diagnostics", "mail", "monitoring", "runtime", "store", "ticket",
    "transport", "vocabulary", "web",
}  # fmt: skip
TOP = PACKAGES | {"__init__.py", "__main__.py", "errors.py", "py.typed"}
MODULE_LINES, WORD_LIST_LINES, FUNCTION_LINES, PARAMETERS, LEVELS = 400, 800, 60, 5, 11
# An __init__.py says what the package is for and does nothing; these have a reason to do more.
BUSY_INITS = {"__init__.py": "the version", "store/queries/__init__.py": "the read side under one name"}


@dataclass
class House:
    """What was measured. `broken`: per limit, the offenders; `lines`: of each module, by its path in the package."""

    lines: dict[str, int] = field(default_factory=dict)
    imports: dict[str, set[str]] = field(default_factory=dict)
    broken: dict[str, list[str]] = field(default_factory=dict)
    excepted: int = 0

    def packages(self) -> Iterator[tuple[str, int, int]]:
        """Name, modules and lines of each package, largest first."""
        names = {path.partition("/")[0] for path in self.lines if "/" in path}
        sizes = {name: [n for path, n in self.lines.items() if path.startswith(f"{name}/")] for name in names}
        for name, counts in sorted(sizes.items(), key=lambda item: -sum(item[1])):
            yield name, len(counts), sum(counts)


def survey(package: Path) -> House:
    """Measure everything below `package`."""
    house = House()
    house.broken = {title: [] for title in _titles()}
    modules, functions, parameters, top, inits, levels = house.broken.values()
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package).as_posix()
        source = path.read_text(encoding="utf-8")
        tree = ast.parse(source)
        lines = source.splitlines()
        house.lines[name] = len(lines)
        limit = WORD_LIST_LINES if name.startswith("vocabulary/") else MODULE_LINES
        if len(lines) > limit:
            modules.append(f"{name}: {len(lines)}")
        if path.name == "__init__.py" and name not in BUSY_INITS and not _is_docstring_only(tree):
            inits.append(name)
        if "migrations/versions/" not in name:
            for where, length, count, is_excepted in _functions(tree, lines):
                if length > FUNCTION_LINES:
                    functions.append(f"{name}:{where}: {length}")
                house.excepted += count > PARAMETERS and is_excepted
                if count > PARAMETERS and not is_excepted:
                    parameters.append(f"{name}:{where}: {count}")
        house.imports.setdefault(name.partition("/")[0], set()).update(_imported(tree, package.name))
    found = {path.name for path in package.iterdir() if path.name != "__pycache__"}
    top += [f"{name} does not belong there" for name in sorted(found - TOP)]
    top += [f"{name} is missing" for name in sorted(TOP - found)]
    depth = count_levels(house.imports)
    if depth == 0:
        levels.append("packages import each other in a circle")
    elif depth > LEVELS:
        levels.append(f"{depth} levels")
    return house


def _titles() -> tuple[str, ...]:
    return (
        f"modules over {MODULE_LINES} lines (word lists: {WORD_LIST_LINES})",
        f"functions over {FUNCTION_LINES} lines",
        f"functions with more than {PARAMETERS} parameters",
        "at the top of mailbot/",
        "__init__.py with code in it",
        f"more than {LEVELS} levels of imports",
    )


def _is_docstring_only(tree: ast.Module) -> bool:
    return len(tree.body) == 1 and ast.get_docstring(tree) is not None


def _functions(tree: ast.Module, lines: list[str]) -> Iterator[tuple[str, int, int, bool]]:
    """Each function: line and name, its length, its parameters besides self, whether it is an agreed exception."""
    methods = {
        id(child) for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for child in node.body
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and not _is_static(child)
    }  # fmt: skip
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            given = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
            head = lines[node.lineno - 1 : node.body[0].lineno]
            is_excepted = any("noqa: PLR0913 - " in line for line in head)
            yield (
                f"{node.lineno} {node.name}",
                (node.end_lineno or node.lineno) - node.lineno + 1,
                len(given) - (id(node) in methods),
                is_excepted,
            )


def _is_static(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(isinstance(mark, ast.Name) and mark.id == "staticmethod" for mark in function.decorator_list)


def _imported(tree: ast.Module, root: str) -> Iterator[str]:
    """The packages (or modules at the top) of `root` that a module imports, anywhere in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == root:
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module.removeprefix(f"{root}.")] if node.module.startswith(f"{root}.") else []
        elif isinstance(node, ast.Import):
            names = [a.name.removeprefix(f"{root}.") for a in node.names if a.name.startswith(f"{root}.")]
        else:
            continue
        for name in names:
            first = name.partition(".")[0]
            if first in PACKAGES:
                yield first
            elif first == "errors":
                yield "errors.py"


def count_levels(imports: Mapping[str, set[str]]) -> int:
    """How many packages stand on top of each other, at most; 0 where some import each other in a circle.

    `__main__` and `__init__`, which everything begins with, are no levels.
    """
    below = {name: set(used) - {name} for name, used in imports.items() if not name.startswith("__")}
    level: dict[str, int] = {}
    while remaining := {name: used for name, used in below.items() if name not in level}:
        ready = {name for name, used in remaining.items() if all(one in level or one not in below for one in used)}
        if not ready:
            return 0
        level |= {name: 1 + max((level.get(one, 0) for one in below[name]), default=0) for name in ready}
    return max(level.values(), default=0)


def main() -> int:
    """Print the table; 1 where a limit is broken."""
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1]
    house = survey(root / "mailbot")
    print("package        modules   lines")
    for name, count, lines in house.packages():
        print(f"{name:<14} {count:>7} {lines:>7,}")
    print(f"{'all':<14} {len(house.lines):>7} {sum(house.lines.values()):>7,}")
    print(f"levels of imports: {count_levels(house.imports) or 'a circle'}; agreed exceptions: {house.excepted}")
    for title, found in house.broken.items():
        print(f"{title}: {len(found) or 'none'}")
        for line in found:
            print(f"    {line}")
    return int(any(house.broken.values()))


if __name__ == "__main__":
    sys.exit(main())
