"""format=flowed (RFC 3676): joins soft line breaks, keeps quotation.

In: the text of a text/plain part that says format=flowed. Out: the text with each paragraph on one line; quoted lines
begin with their ">" marks and a space. Linear.
"""

from __future__ import annotations

import io
import re

_LINE = re.compile(r"(>*)([^\n]*)\n?")
_MAX_DEPTH = 50


def unflow(text: str, *, delete_space: bool = False) -> str:
    """Return `text` with its flowed lines joined; `delete_space` (DelSp=yes) drops the space of each soft break."""
    output = io.StringIO()  # a list of a million short lines would take fifty times their size
    depth = 0
    open_paragraph = False
    end = len(text)
    for found in _LINE.finditer(text):
        if found.start() == end and found.end() == end and text[-1:] != "\n":
            break  # the empty match after the last line
        level = min(len(found[1]), _MAX_DEPTH)
        line = found[2]
        if line.startswith(" "):
            line = line[1:]  # RFC 3676 §4.4 space-stuffing
        if open_paragraph and (level != depth or line == "-- "):
            output.write("\n")  # §4.5: a change of depth ends a paragraph, so does a signature (§4.3)
            open_paragraph = False
        if not open_paragraph and level:
            output.write(">" * level + (" " if line else ""))
        depth = level
        open_paragraph = line.endswith(" ") and line != "-- "  # §4.2
        output.write(line[:-1] if open_paragraph and delete_space else line)
        if not open_paragraph:
            output.write("\n")
    return output.getvalue().removesuffix("\n")
