"""Writing over parts of a mail without moving the rest: base64 blocks are opened, changed at equal length, and closed.

In: a mail's bytes and what is to be done with the content of each block. Out: bytes of the same length. Pure, linear.
Standard: RFC 2045 §6.8. Never: touches a block whose content does not change, or whose length would.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable

_BLOCK = re.compile(rb"(?:^[A-Za-z0-9+/]{16,996}={0,2}[ \t]*\r?\n?){1,}", re.MULTILINE)
_NO_BASE64 = re.compile(rb"[^A-Za-z0-9+/=]")


def in_base64_blocks(raw: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """The mail with `change` done to what its base64 blocks hold."""

    def changed(found: re.Match[bytes]) -> bytes:
        block = found[0]
        try:
            content = base64.b64decode(_NO_BASE64.sub(b"", block), validate=True)
        except (binascii.Error, ValueError):
            return block
        new = change(content)
        if new == content or len(new) != len(content):
            return block
        letters = iter(base64.b64encode(new))
        return bytes(next(letters, each) if each not in b" \t\r\n" else each for each in block)

    return _BLOCK.sub(changed, raw)
