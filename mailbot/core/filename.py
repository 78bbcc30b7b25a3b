"""The name of an attachment, made safe to show and to store.

In: the name as the sender wrote it (any text), the file's type, its number in the mail. Out: a name without path,
control, direction override or device name of Windows, at most MAX_BYTES of UTF-8 long with its extension kept; never
empty: a file without a name is "lampiran-1.jpg".
"""

from __future__ import annotations

import re

from mailbot.vocabulary.mime import DEVICE_NAMES, EXTENSIONS, UNNAMED

# File systems end at 255; what is stored may get a prefix.
MAX_BYTES = 240
_MAX_EXTENSION = 20

# Controls, separators of lines, and characters that turn or hide the text around them ("gpj.exe" for "exe.jpg").
_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff0-\ufff8\ufffe\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)
_BLANKS = re.compile(r"[ \t\r\n\u00a0]+")

# The first extension of a type in the table is the usual one.
_EXTENSION_OF: dict[str, str] = {}
for _extension, _type in EXTENSIONS.items():
    _EXTENSION_OF.setdefault(_type, _extension)


def shown(path: str) -> str:
    """A path in an archive, to be shown: nothing in it that turns, hides or ends a line; at most 200 characters."""
    return _HIDDEN.sub("", _BLANKS.sub(" ", path[-200:])).strip()


def safe_name(name: str, content_type: str, number: int) -> str:
    """The safe form of `name`; a made-up one if nothing of it is left."""
    if not (name.isascii() and name.isprintable()):
        name = _HIDDEN.sub("", _BLANKS.sub(" ", name[:4000]))
    # RFC 2183 §2.3: no directory of the sender's counts. Both kinds of separators, on every system.
    name = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    name = name.strip(" .")  # Windows drops dots and blanks at the end; one at the begin hides a file elsewhere
    if name.partition(".")[0].strip().lower() in DEVICE_NAMES:
        name = "_" + name
    if not name:
        extension = _EXTENSION_OF.get(content_type, "bin")
        return f"{UNNAMED}-{number}.{extension}"
    return name if len(name) <= MAX_BYTES // 4 else _shortened(name)


def _shortened(name: str) -> str:
    """At most MAX_BYTES in UTF-8, cut in front of the extension, never inside a character."""
    if len(name.encode()) <= MAX_BYTES:
        return name
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension.encode()) > _MAX_EXTENSION:
        stem, dot, extension = name, "", ""
    room = MAX_BYTES - len((dot + extension).encode())
    return stem.encode()[:room].decode("utf-8", "ignore").rstrip(" .") + dot + extension
