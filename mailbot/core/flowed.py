"""format=flowed (RFC 3676): soft line breaks joined again, quotation kept.

In: the text of a text/plain part that says format=flowed. Out: the text with each paragraph on one line; quoted lines
begin with their ">" marks and a space. Linear.
"""

from __future__ import annotations

_MAX_DEPTH = 50


def unflow(text: str, *, delete_space: bool = False) -> str:
    """`text` with its flowed lines joined; with `delete_space` (DelSp=yes) the space of each soft break is dropped."""
    output: list[str] = []
    paragraph: list[str] = []
    depth = 0

    def end_paragraph() -> None:
        if paragraph:
            output.append(_quoted(depth, "".join(paragraph)))
            paragraph.clear()

    for line in text.split("\n"):
        bare = line.lstrip(">")
        level = min(len(line) - len(bare), _MAX_DEPTH)
        if bare.startswith(" "):
            bare = bare[1:]  # §4.4 space-stuffing
        if paragraph and (level != depth or bare == "-- "):
            end_paragraph()  # §4.5: a change of depth ends a paragraph, so does a signature (§4.3)
        depth = level
        if bare.endswith(" ") and bare != "-- ":
            paragraph.append(bare[:-1] if delete_space else bare)  # §4.2
        else:
            paragraph.append(bare)
            end_paragraph()
    end_paragraph()
    return "\n".join(output)


def _quoted(depth: int, words: str) -> str:
    if not depth:
        return words
    return ">" * depth + (" " + words if words else "")
