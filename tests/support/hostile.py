"""Mails that were made to exhaust a parser: each a name and a builder of the bytes, about `size` long.

Used by the tests of the bounds and by tools/fuzz_parse.py as seeds.
"""

from __future__ import annotations

import base64
from collections.abc import Callable

Builder = Callable[[int], bytes]


def _repeat(piece: bytes, size: int) -> bytes:
    return piece * max(1, size // len(piece))


def _numbered(form: str, size: int) -> bytes:
    """Pieces with a number of their own, so that nothing can be cached."""
    pieces, length, number = [], 0, 0
    while length < size:
        pieces.append(form.replace("%", str(number)))
        length += len(pieces[-1])
        number += 1
    return "".join(pieces).encode()


def _plain(body: bytes) -> bytes:
    return b"From: a@sekolah.example\nSubject: x\nContent-Type: text/plain\n\n" + body


def _html(body: bytes) -> bytes:
    return b"From: a@sekolah.example\nSubject: x\nContent-Type: text/html; charset=utf-8\n\n" + body


def _header(fields: bytes) -> bytes:
    return b"From: a@sekolah.example\n" + fields + b"\n\nthe text\n"


def _nested_multiparts(levels: int, size: int) -> bytes:
    opened = "".join(f'Content-Type: multipart/mixed; boundary="b{n}"\n\n--b{n}\n' for n in range(levels))
    text = b"Content-Type: text/plain\n\n" + _repeat(b"deep words\n", size)
    return b"From: a@sekolah.example\n" + opened.encode() + text


def _nested_mails(levels: int, size: int) -> bytes:
    opened = "".join(f"Subject: {n}\nContent-Type: message/rfc822\n\n" for n in range(levels))
    return b"From: a@sekolah.example\n" + opened.encode() + b"Subject: inner\n\n" + _repeat(b"words\n", size)


def _parts(size: int, part: bytes) -> bytes:
    head = b"From: a@sekolah.example\nContent-Type: multipart/mixed; boundary=b\n\n"
    return head + _repeat(b"--b\n" + part, size) + b"--b--\n"


def _attached(content_type: str, content: bytes) -> bytes:
    head = f"From: a@sekolah.example\nContent-Type: {content_type}\nContent-Transfer-Encoding: base64\n\n"
    return head.encode() + base64.encodebytes(content)


_TNEF = b"\x78\x9f\x3e\x22\x00\x00"

# Properties whose number and size lead out of the data
_TNEF_VALUES = b"\x01\x03\x90\0\0\xff\xff\xff\x7f" + b"\xff" * 4 + b"\x1e\x10\x01\x00" + b"\xff" * 4

HOSTILE: dict[str, Builder] = {
    # Structure
    "1500 nested multiparts": lambda size: _nested_multiparts(1500, size),
    "60 nested multiparts": lambda size: _nested_multiparts(59, size),
    "300 nested mails": lambda size: _nested_mails(300, size),
    "nothing but parts": lambda size: _parts(size, b"\n"),
    "parts with a text": lambda size: _parts(size, b"Content-Type: text/plain\n\nx\n"),
    "parts that are mails": lambda size: _parts(size, b"Content-Type: message/rfc822\n\nSubject: y\n\nx\n"),
    "parts that are pages": lambda size: _parts(size, b"Content-Type: text/html\n\n<p>x\n"),
    "lines like boundaries": lambda size: _parts(size, b"")[: size // 2] + _repeat(b"--bx\n", size // 2),
    "boundary of dashes": lambda size: (
        b'Content-Type: multipart/mixed; boundary="' + b"-" * 60 + b'x"\n\n' + _repeat(b"-", size)
    ),
    "no boundary, many guesses": lambda size: (
        b"Content-Type: multipart/mixed\n\n" + _repeat(b"--a\nContent-X: y\n", size)
    ),
    "parts after the close": lambda size: (
        b"Content-Type: multipart/mixed; boundary=b\n\n" + _repeat(b"--b--\n--b\nContent-Type: text/plain\n\nx\n", size)
    ),
    "alternatives": lambda size: (
        b"Content-Type: multipart/alternative; boundary=b\n\n"
        + _repeat(b"--b\nContent-Type: text/plain\n\nsome words of it\n", size)
    ),
    "plain and HTML, mixed": lambda size: _parts(
        size, b"Content-Type: text/plain\n\nsome words\n--b\nContent-Type: text/html\n\n<p>some words\n"
    ),
    # Header
    "a huge field": lambda size: _header(b"Subject: " + _repeat(b"word ", size)),
    "a huge folded field": lambda size: _header(b"Subject: x" + _repeat(b"\n word", size)),
    "many fields": lambda size: _header(_numbered("X-%: y\n", size)),
    "many Received": lambda size: _header(_repeat(b"Received: from a (b (c)) by d; 1 Jan 2025 00:00:00 +0700\n", size)),
    "odd Received": lambda size: _header(_repeat(b'Received: from "a (b" by d(((; 1 Jan 2025 00:00:00 +0700\n', size)),
    "a header of junk": lambda size: _repeat(b"no field at all\n", size) + b"From: a@sekolah.example\n\ntext\n",
    "many recipients": lambda size: _header(b"To: " + _numbered("p%@sekolah.example, ", size)),
    "broken recipients": lambda size: _header(b"To: " + _repeat(b'"a<b@c (', size)),
    "at signs": lambda size: _header(b"To: " + _repeat(b"@", size)),
    "group names": lambda size: _header(b"To: " + _repeat(b"a:", size)),
    "colons after a name": lambda size: _header(b"To: a@b" + _repeat(b":", size)),
    "nested comments": lambda size: _header(b"To: " + b"(" * size + b"\nFrom: " + b"(" * size),
    "a From of brackets": lambda size: b"From: " + _repeat(b"<a@b ", size) + b"\n\ntext\n",
    "references": lambda size: _header(b"References: " + _numbered("<%@sekolah.example> ", size)),
    "broken references": lambda size: _header(b"References: " + _repeat(b"<a", size)),
    "encoded words": lambda size: _header(b"Subject: " + _repeat(b"=?utf-8?Q?=C3=A9?= ", size)),
    "encoded words without end": lambda size: _header(b"Subject: " + _repeat(b"=?utf-8?Q?a", size)),
    "encoded words with false ends": lambda size: _header(b"Subject: " + _repeat(b"=?u?q?a?=41", size)),
    "encoded words of many charsets": lambda size: _header(b"Subject: " + _numbered("=?x-%?Q?a?= ", size)),
    "continued parameters": lambda size: _header(b"Content-Type: text/plain" + _numbered("; name*%*=a", size)),
    "parameters without end": lambda size: _header(b"Content-Type: text/plain" + _repeat(b';a="', size)),
    "semicolons": lambda size: _header(b"Content-Type: text/plain; a=b" + _repeat(b"; ", size)),
    "a date of brackets": lambda size: _header(b"Date: " + _repeat(b"(", size)),
    # Bodies
    "base64 of nothing": lambda size: _attached("image/png", b"")[:-1] + _repeat(b"=", size),
    "base64 with noise": lambda size: (
        b"Content-Transfer-Encoding: base64\nContent-Type: image/png\n\n" + _repeat(b"AA!=", size)
    ),
    "quoted-printable of equals": lambda size: b"Content-Transfer-Encoding: quoted-printable\n\n" + _repeat(b"=", size),
    "soft breaks": lambda size: b"Content-Transfer-Encoding: quoted-printable\n\n" + _repeat(b"= \t", size),
    "uuencode begins": lambda size: _plain(_repeat(b"begin 644 a\n", size)),
    "uuencoded files": lambda size: _plain(_repeat(b"begin 644 a\n#0V%T\n`\nend\n", size)),
    "uuencode begins, one end": lambda size: _plain(_repeat(b"begin 644 a\nwords\n", size) + b"end\n"),
    "flowed quotes": lambda size: b"Content-Type: text/plain; format=flowed\n\n" + _repeat(b">" * 70 + b" a \n", size),
    "one flowed line": lambda size: b"Content-Type: text/plain; format=flowed\n\n" + _repeat(b"a \n", size),
    "controls": lambda size: _plain(_repeat(b"\x00\x1b[2J\x7f\r", size)),
    "invalid UTF-8": lambda size: (
        b"Content-Type: text/plain; charset=utf-8\n\n" + _repeat(b"\xc3\x28\xed\xa0\x80", size)
    ),
    "escape sequences": lambda size: (
        b"Content-Type: text/plain; charset=iso-2022-jp\n\n" + _repeat(b"\x1b$B\x1b(B!", size)
    ),
    "UTF-16 of halves": lambda size: b"Content-Type: text/plain; charset=utf-16\n\n" + _repeat(b"\xd8\x00a", size),
    # HTML
    "nested divs": lambda size: _html(_repeat(b"<div>", size) + b"words"),
    "nested lists": lambda size: _html(_repeat(b"<ul><li>", size) + b"words"),
    "nested tables": lambda size: _html(_repeat(b"<table><tr><td>", size) + b"words"),
    "nested quotes": lambda size: _html(_repeat(b"<blockquote>a<br>", size) + b"words"),
    "formatting cloned": lambda size: _html(
        b"<p>" + _numbered("<b id=%>", min(size // 2, 20_000)) + b"</p>" + _repeat(b"<p>x</p>", size // 2)
    ),
    "attributes": lambda size: _html(b"<div " + _numbered("a% ", size) + b">words"),
    "bodies": lambda size: _html(_numbered("<body a%=1>", size) + b"words"),
    "links": lambda size: _html(_repeat(b'<a href="http://x.example/">y', size)),
    "table cells": lambda size: _html(b"<table>" + _repeat(b"<tr><td>a<td>b", size)),
    "spaces": lambda size: _html(_repeat(b" &nbsp;\n", size)),
    "hidden styles": lambda size: _html(_repeat(b'<p style="display      :">', size)),
    "comments open": lambda size: _html(_repeat(b"<!--", size)),
    "tags open": lambda size: _html(_repeat(b"<a", size)),
    "cid links": lambda size: _html(_repeat(b"cid:", size)),
    # Files
    "TNEF attributes": lambda size: _attached(
        "application/ms-tnef", _TNEF + _repeat(b"\x02\x02\x90\0\0\0\0\0\0\0\0", size)
    ),
    "TNEF values": lambda size: _attached("application/ms-tnef", _TNEF + _TNEF_VALUES + _repeat(b"\0", size)),
    "zip entries": lambda size: _attached("application/zip", _repeat(b"PK\x03\x04" + b"\0" * 26, size)),
    "xml spaces": lambda size: _attached("image/svg+xml", b"<?xml?>" + _repeat(b" <!-- -->", size)),
}
