"""The documentation names nothing that does not exist: links, anchors, files, modules, `make` targets."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = next(folder for folder in Path(__file__).parents if (folder / "pyproject.toml").exists())
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
CODE_FOLDERS = ("mailbot", "tests", "bench", "tools")
FOLDERS = (*CODE_FOLDERS, "docs", "templates", "config", "fixtures", "scripts")
# Files of the package's name that look like modules.
NO_MODULES = {"mailbot.service", "mailbot.db", "mailbot.sent", "mailbot.toml"}

FENCE = re.compile(r"^(`{3,}|~{3,}).*?^\1[`~]*\s*$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
LINK = re.compile(r"\[[^\[\]]*\]\(\s*<?([^()\s<>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
HEADING = re.compile(r"^#{1,6}[ \t]+(.+?)[ \t]*#*[ \t]*$", re.MULTILINE)
URL = re.compile(r"[a-z][a-z+.-]*://[^\s)>\"'`]+")
PATH = re.compile(rf"(?<![\w./<>-])(?:{'|'.join(FOLDERS)})/[\w./-]*")
FILE_NAME = re.compile(r"(?<![\w./-])\w+\.py(?![\w/])")
NAME = re.compile(rf"(?<![\w./@-])(?:{'|'.join(CODE_FOLDERS)})(?:\.\w+)+(?![\w@/-])")
MARKDOWN_FILE = re.compile(r"[\w./-]+\.md\b")
# `../x`, and places that exist only on somebody's own machine.
OUTSIDE = re.compile(r"(?<![\w./])(?:\.\./[\w./-]+|/(?:home|root|work|Users)/[\w./-]+)")
MAKE_TARGET = re.compile(r"\bmake ([a-z][a-z-]*)")


@cache
def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def code(page: Path) -> list[str]:
    """Everything set as code: spans, and blocks in fences."""
    spans = [found[2] for found in SPAN.finditer(FENCE.sub("\n", text(page)))]
    return [*spans, *(found[0] for found in FENCE.finditer(text(page)))]


def links(page: Path) -> Iterator[str]:
    """The targets of its links and pictures that are no URLs."""
    rest = SPAN.sub("x", FENCE.sub("\n", text(page)))
    while any_left := list(LINK.finditer(rest)):  # a picture is inside of the link around it
        yield from (found[1] for found in any_left if not re.match(r"[a-z][a-z+.-]*:", found[1]))
        rest = LINK.sub("x", rest)


@cache
def anchors(page: Path) -> frozenset[str]:
    """The anchors that GitHub gives the headings of a page."""
    found: list[str] = []
    for heading in HEADING.finditer(FENCE.sub("\n", text(page))):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading[1]).replace("`", "")
        slug = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
        again = sum(1 for one in found if one == slug or re.fullmatch(re.escape(slug) + r"-\d+", one))
        found.append(f"{slug}-{again}" if again else slug)
    return frozenset(found)


@cache
def file_names(suffix: str) -> frozenset[str]:
    """The names of the repository's files of a kind, wherever they are."""
    below = (path.name for folder in FOLDERS for path in (ROOT / folder).rglob(f"*{suffix}"))
    return frozenset((*below, *(path.name for path in ROOT.glob(f"*{suffix}"))))


def exists(name: str) -> bool:
    """Whether a dotted name is a module of the repository, or something that a module defines."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        path = ROOT.joinpath(*parts[:length])
        if path.is_dir() or path.with_suffix(".py").is_file():
            break
    else:
        return False
    if length == len(parts):
        return True
    found: object = importlib.import_module(".".join(parts[:length]))
    for part in parts[length:]:
        if not hasattr(found, part):
            return False
        found = getattr(found, part)
    return True


every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


@every_page
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for target in links(page):
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.is_relative_to(ROOT) or not file.exists():
            broken.append(target)
        elif anchor and (file.suffix != ".md" or anchor not in anchors(file)):
            broken.append(f"{target} (no such heading)")
    assert not broken, broken


@every_page
def test_files_exist(page: Path) -> None:
    missing = {
        found[0]
        for one in code(page)
        for found in PATH.finditer(URL.sub(" ", one))
        if not (ROOT / found[0].rstrip(".")).exists()
    }
    names = {found[0] for one in code(page) for found in FILE_NAME.finditer(one)}
    assert not missing, sorted(missing)
    assert names <= file_names(".py"), sorted(names - file_names(".py"))


@every_page
def test_modules_and_what_they_define_exist(page: Path) -> None:
    names = {found[0] for one in code(page) for found in NAME.finditer(URL.sub(" ", one))} - NO_MODULES
    missing = sorted(name for name in names if not exists(name))
    assert not missing, missing


@every_page
def test_nothing_outside_of_the_repository_is_named(page: Path) -> None:
    everything = URL.sub(" ", text(page))
    named = {Path(found[0]).name for found in MARKDOWN_FILE.finditer(everything)}
    away = [
        found[0]
        for found in OUTSIDE.finditer(everything)
        if not (page.parent / found[0]).resolve().is_relative_to(ROOT)
    ]
    assert named <= file_names(".md"), sorted(named - file_names(".md"))
    assert not away, away


@every_page
def test_make_knows_the_targets(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    named = {found[1] for one in code(page) for found in MAKE_TARGET.finditer(one)}
    assert named <= targets, sorted(named - targets)


def test_the_index_lists_every_page() -> None:
    index = DOCS / "README.md"
    listed = {(DOCS / target.partition("#")[0]).resolve() for target in links(index)}
    missing = [path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md") if path != index and path not in listed]
    assert not missing, missing


def test_the_checks_can_fail(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A `b`: c!\n## Again\n## Again\n[x](y.md#z), `mailbot.mail.nowhere`, `mailbot/nowhere.py`, `make nothing`\n"
        '```\n# no heading [no](link.md) bench/nowhere.py\n```\n![picture `x`](shot.png "title") [![x](a.svg)](b.md)\n',
        encoding="utf-8",
    )

    def found(pattern: re.Pattern[str]) -> list[str]:
        return [one[0] for span in code(page) for one in pattern.finditer(span)]

    assert anchors(page) == {"a-b-c", "again", "again-1"}
    assert list(links(page)) == ["y.md#z", "shot.png", "a.svg", "b.md"]
    assert found(PATH) == ["mailbot/nowhere.py", "bench/nowhere.py"]
    assert found(NAME) == ["mailbot.mail.nowhere"]
    assert found(MAKE_TARGET) == ["make nothing"]
    assert exists("mailbot.errors.MailbotError")
    assert not exists("mailbot.errors.Nothing")
    assert not exists("mailbot.nowhere")
