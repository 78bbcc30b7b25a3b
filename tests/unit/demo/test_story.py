"""The tour's texts and its screenshot."""

from __future__ import annotations

import re
import struct
import tomllib
import zlib
from importlib.resources import files

import pytest

from mailbot.demo.sample_screenshot import HEIGHT, WIDTH, screenshot
from mailbot.demo.tour import steps


def test_each_step_has_words_in_both_languages_and_no_words_are_left_over() -> None:
    story = tomllib.loads(files("mailbot.demo").joinpath("story.toml").read_text("utf-8"))
    assert list(story) == [step.key for step in steps()]
    for step in steps():
        for language in ("id", "en"):
            words = step.words[language]
            assert 4 < len(words.title) < 60, step.key
            assert 40 < len(words.text) < 330, step.key


@pytest.mark.parametrize("name", ["index.html", "style.css", "app.js", "icon.svg"])
def test_the_page_asks_for_nothing_from_outside(name: str) -> None:
    text = files("mailbot.demo").joinpath("static", name).read_text("utf-8")
    links = [word for word in text.replace('"', " ").replace("'", " ").split() if "//" in word and ":" in word]
    assert [link for link in links if not link.startswith("http://www.w3.org/")] == []


def test_both_languages_of_the_page_have_the_same_words() -> None:
    text = files("mailbot.demo").joinpath("static", "i18n.js").read_text("utf-8")
    block = text[text.index("const WORDS") : text.index("// What schools and agents")]
    indonesian, english = block.split("\n  en: {")

    def names(part: str) -> set[str]:
        return set(re.findall(r"(?:^|[,{]\s*|\n\s+)([a-z_]+): ", part)) - {"id"}

    shared = {"suggest_school", "suggest_school_reply", "suggest_agent_reply"}
    assert names(indonesian) - shared == names(english)


def test_the_screenshot_is_a_whole_png() -> None:
    raw = screenshot()
    assert raw.startswith(b"\x89PNG\r\n\x1a\n")
    position, content, kinds = 8, b"", []
    while position < len(raw):
        (length,) = struct.unpack(">I", raw[position : position + 4])
        kind, body = raw[position + 4 : position + 8], raw[position + 8 : position + 8 + length]
        assert struct.unpack(">I", raw[position + 8 + length : position + 12 + length])[0] == zlib.crc32(kind + body)
        kinds.append(kind)
        content += body if kind == b"IDAT" else b""
        position += 12 + length
    assert kinds == [b"IHDR", b"IDAT", b"IEND"]
    assert len(zlib.decompress(content)) == HEIGHT * (1 + 3 * WIDTH)
