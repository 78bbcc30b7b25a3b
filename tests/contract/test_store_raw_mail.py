"""Raw mail: the same bytes back, kept once, and never another's."""

from __future__ import annotations

import base64
import hashlib
import os
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select, update

from mailbot.store import compression, raw_mail
from mailbot.store.engine import Store
from mailbot.store.tables import RAW_MAIL
from tests.support.stores import START

MAILS = [
    b"",
    b"From: a@b.example\r\n\r\nSelamat pagi\r\n" * 1000,
    b"\x00\xff\r\n.\r\nnot even a mail",
    base64.encodebytes(os.urandom(200_000)),
]


@pytest.mark.parametrize("raw", MAILS, ids=["empty", "text", "bytes", "image"])
def test_the_same_bytes_come_back(store: Store, raw: bytes) -> None:
    with store.writing() as connection:
        sha256 = raw_mail.put(connection, raw, START)
    assert sha256 == hashlib.sha256(raw).hexdigest()
    with store.reading() as connection:
        assert raw_mail.get(connection, sha256) == raw


def test_a_mail_is_kept_once_and_compressed(store: Store) -> None:
    for _ in range(3):
        with store.writing() as connection:
            raw_mail.put(connection, MAILS[1], START)
    with store.reading() as connection:
        row = connection.execute(select(RAW_MAIL)).one()
    assert row.size == len(MAILS[1])
    assert len(row.body) < row.size / 10


def test_threads_have_a_codec_each(store: Store) -> None:
    def keep(number: int) -> str:
        with store.writing() as connection:
            return raw_mail.put(connection, b"%d " % number * 5000, START)

    with ThreadPoolExecutor(6) as pool:
        digests = list(pool.map(keep, range(24)))
    with store.reading() as connection:
        assert connection.execute(select(func.count()).select_from(RAW_MAIL)).scalar_one() == 24
        assert [raw_mail.get(connection, digest) for digest in digests] == [b"%d " % n * 5000 for n in range(24)]


def test_an_unknown_mail_is_none(store: Store) -> None:
    with store.reading() as connection:
        assert raw_mail.get(connection, "0" * 64) is None


@pytest.mark.parametrize("values", [{"body": b""}, {"body": b"x" * 100}, {"size": 7}, {"sha256": "1" * 64}])
def test_a_damaged_mail_is_an_error_and_never_a_mail(store: Store, values: dict[str, object]) -> None:
    with store.writing() as connection:
        sha256 = raw_mail.put(connection, MAILS[1], START)
        connection.execute(update(RAW_MAIL).values(**values))
    with store.reading() as connection, pytest.raises(compression.RawMailDamaged, match="restore it from a backup"):
        raw_mail.get(connection, str(values.get("sha256", sha256)))


def test_a_frame_that_promises_too_much_gets_no_memory(store: Store) -> None:
    # A zstd header (RFC 8878 §3.1.1) that says one exabyte.
    body = b"\x28\xb5\x2f\xfd\xc0\x00" + (2**60).to_bytes(8, "little") + b"\x01\x00\x00"
    with pytest.raises(compression.RawMailDamaged):
        compression.unpack("0" * 64, 30, body)


LARGE_MAILS = {
    "incompressible": random.Random(7).randbytes(3_300_000),
    "of which nothing is left packed": b"Selamat pagi\r\n" * 200_000,
}


@pytest.mark.parametrize("name", LARGE_MAILS)
def test_a_large_mail_is_kept_in_pieces_and_kept_once(store: Store, name: str) -> None:
    raw = LARGE_MAILS[name]
    for _ in range(2):
        with store.writing() as connection:
            sha256 = raw_mail.put(connection, raw, START)
    with store.reading() as connection:
        assert raw_mail.get(connection, sha256) == raw
        row = connection.execute(select(RAW_MAIL)).one()
    assert row.size == len(raw)
    assert compression.unpack(sha256, row.size, row.body) == raw


def test_a_large_mail_that_is_rolled_back_is_not_there(store: Store) -> None:
    raw = LARGE_MAILS["incompressible"]
    with pytest.raises(KeyError), store.writing() as connection:
        sha256 = raw_mail.put(connection, raw, START)
        raise KeyError
    with store.writing() as connection:
        assert raw_mail.get(connection, sha256) is None
        assert raw_mail.put(connection, raw, START) == sha256


@pytest.mark.parametrize(
    "damage",
    [lambda body: body[:-1], lambda body: body[:2_000_000] + b"?" + body[2_000_001:], lambda body: b"x" + body[1:]],
    ids=["its end is missing", "a byte is wrong", "it is no frame"],
)
def test_damage_of_a_large_mail_is_seen(store: Store, damage: Callable[[bytes], bytes]) -> None:
    raw = LARGE_MAILS["incompressible"]
    with store.writing() as connection:
        sha256 = raw_mail.put(connection, raw, START)
        body = connection.execute(select(RAW_MAIL.c.body)).scalar_one()
        connection.execute(update(RAW_MAIL).values(body=damage(body)))
    with store.reading() as connection, pytest.raises(compression.RawMailDamaged, match="restore it from a backup"):
        raw_mail.get(connection, sha256)
