"""The check of the code's limits: a small tree that keeps them all, and one fault at a time."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from tools.house_check import PACKAGES, TOP, count_levels, survey

CHECKER = Path(__file__).parents[3] / "tools" / "house_check.py"
LONG_FUNCTION = "def long():\n" + "    pass\n" * 60
SIX = "def six(a, b, c, *, d, e, f):\n    pass\n"
METHODS = """
class Some:
    def five(self, a, b, c, d, e):
        pass

    @classmethod
    def also_five(cls, a, b, c, d, e):
        pass

    @staticmethod
    def six(a, b, c, d, e, f):
        pass
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A tree within all limits."""
    root = tmp_path / "mailbot"
    for name in PACKAGES:
        (root / name).mkdir(parents=True)
        (root / name / "__init__.py").write_text(f'"""The package {name}."""\n')
    for name in TOP - PACKAGES:
        (root / name).write_text("")
    (root / "__init__.py").write_text('"""A helpdesk."""\n\n__version__ = "1"\n')
    (root / "cli" / "app.py").write_text("import mailbot.desk.helpdesk\n")
    (root / "desk" / "helpdesk.py").write_text("from mailbot.errors import MailbotError\n")
    return root


def broken(package: Path) -> dict[str, list[str]]:
    return {title: found for title, found in survey(package).broken.items() if found}


def run(package: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, CHECKER, package.parent], capture_output=True, text=True)


def test_a_tree_within_the_limits_passes(package: Path) -> None:
    assert broken(package) == {}
    done = run(package)
    assert done.returncode == 0 and "levels of imports: 3" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "content", "title", "said"),
    [
        ("mail/long.py", "\n" * 401, "modules over 400", "mail/long.py: 401"),
        ("vocabulary/words.py", "\n" * 801, "modules over 400", "vocabulary/words.py: 801"),
        ("mail/long.py", LONG_FUNCTION, "functions over 60", "mail/long.py:1 long: 61"),
        ("mail/six.py", SIX, "functions with more than 5", "mail/six.py:1 six: 6"),
        ("mail/six.py", f"async {SIX}", "functions with more than 5", "mail/six.py:1 six: 6"),
        ("mail/six.py", METHODS, "functions with more than 5", "mail/six.py:11 six: 6"),
        ("mail/six.py", SIX.replace(":\n", ":  # noqa: PLR0913\n"), "functions with more than 5", "six: 6"),
        ("extra.py", "", "at the top", "extra.py does not belong there"),
        ("mail/__init__.py", "import os\n", "__init__.py with code", "mail/__init__.py"),
        ("mail/__init__.py", "", "__init__.py with code", "mail/__init__.py"),
        ("desk/circle.py", "def f():\n    from mailbot.cli import app\n", "levels of imports", "in a circle"),
    ],
)
def test_each_broken_limit_is_named(package: Path, name: str, content: str, title: str, said: str) -> None:
    (package / name).write_text(content)
    [(found, [line])] = broken(package).items()
    assert title in found and line.endswith(said)
    done = run(package)
    assert done.returncode == 1 and said in done.stdout


def test_a_missing_package_is_named(package: Path) -> None:
    (package / "web" / "__init__.py").unlink()
    (package / "web").rmdir()
    assert [*broken(package).values()] == [["web is missing"]]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("mail/most.py", "\n" * 400),
        ("vocabulary/words.py", "\n" * 800),
        ("mail/most.py", LONG_FUNCTION.replace("    pass\n", "", 1)),
        ("cli/command.py", SIX.replace(":\n", ":  # noqa: PLR0913 - one parameter per option\n")),
        ("store/migrations/versions/0001_first.py", LONG_FUNCTION),
        ("store/queries/__init__.py", "from mailbot.store import engine\n"),
    ],
)
def test_exceptions_and_what_just_fits_pass(package: Path, name: str, content: str) -> None:
    (package / name).parent.mkdir(parents=True, exist_ok=True)
    (package / name).write_text(content)
    assert broken(package) == {}


def test_levels_are_counted_along_the_longest_way() -> None:
    assert count_levels({"a": {"b", "c"}, "b": {"c", "b"}, "c": {"d"}, "d": set(), "__main__.py": {"a"}}) == 4
    chain = {str(nth): {str(nth + 1)} for nth in range(12)}
    assert count_levels(chain) == 12
    assert count_levels({"a": {"b"}, "b": {"a"}}) == 0


def test_too_many_levels_are_named(package: Path) -> None:
    names = sorted(PACKAGES)
    for upper, lower in pairwise(names):
        (package / upper / "link.py").write_text(f"from mailbot.{lower} import link\n")
    (package / "cli" / "app.py").unlink()
    (package / "desk" / "helpdesk.py").unlink()
    assert broken(package) == {"more than 11 levels of imports": ["14 levels"]}
