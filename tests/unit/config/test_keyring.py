"""The file of keys: rotation, grace, what survives, and what a wrong file says."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailbot.config.dkim_keys import read_dkim_keys
from mailbot.config.keyring import (
    KeyWatch,
    change_keyring,
    make_key_file,
    read_keyring,
)
from mailbot.errors import ConfigError, NotPossible
from mailbot.mail.reply_token import Purpose, Signer
from tests.support.signed_mail import rsa

NOW = datetime(2025, 11, 3, 3, 0, tzinfo=UTC)
GRACE = timedelta(days=90)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    make_key_file(tmp_path / "secret.key")
    return tmp_path / "secret.key"


def test_a_rotated_key_signs_and_the_old_one_is_believed_for_its_grace(path: Path) -> None:
    before = read_keyring(path)
    old = Signer(before.accepted(NOW)).sign(Purpose.REQUESTER, 12345, "acha@x")
    change_keyring(path, before.rotated(NOW, GRACE))
    after = read_keyring(path)
    assert len(after.keys) == 2 and after.instance_id == before.instance_id
    assert Signer(after.accepted(NOW)).sign(Purpose.REQUESTER, 12345, "acha@x") != old
    last = NOW + GRACE
    assert Signer(after.accepted(last)).belongs_to(old, "acha@x")
    assert not Signer(after.accepted(last + timedelta(days=1))).belongs_to(old, "acha@x")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {each.name for each in path.parent.iterdir()} == {path.name, f".{path.name}.lock"}


def test_rotations_add_up_and_keys_that_are_over_fall_out(path: Path) -> None:
    ring = read_keyring(path)
    mark = ring.instance_id
    for month in range(6):
        ring = ring.rotated(NOW + timedelta(days=30 * month), timedelta(days=45))
        change_keyring(path, ring)
        ring = read_keyring(path)
    assert len(ring.keys) == 3 and ring.instance_id == mark
    assert len({key.fingerprint for key in ring.keys}) == 3


def test_no_grace_believes_nothing_old(path: Path) -> None:
    ring = read_keyring(path).rotated(NOW, timedelta())
    assert len(ring.keys) == 1 and ring.instance_id == read_keyring(path).instance_id


def test_a_file_made_by_hand_is_one(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_bytes("# mine\nnewest-key-0123456789\n\n#until 2025-01-01\nold-key-é-0123456789\n".encode())
    path.chmod(0o644)
    ring = read_keyring(path)
    assert ring.accepted(NOW) == (b"newest-key-0123456789",) and not ring.instance
    change_keyring(path, ring.rotated(NOW, GRACE))
    assert read_keyring(path).keys[1].secret == b"newest-key-0123456789"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640  # what its group could read it still can, others can't


@pytest.mark.parametrize(
    ("content", "words"), [("", "no key"), ("short\n", "too short"), ("# until 2025-13-01\n" + "k" * 20, "not a date")]
)
def test_a_wrong_file_says_what_is_wrong(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "keys").write_text(content)
    with pytest.raises(ConfigError, match=words):
        read_keyring(tmp_path / "keys")


def test_a_file_that_can_t_be_replaced_stays_as_it_is(path: Path) -> None:
    ring = read_keyring(path)
    with pytest.raises(NotPossible, match="can't be replaced"):
        change_keyring(path.parent / "none" / "secret.key", ring)
    assert read_keyring(path) == ring


def test_the_watch_sees_a_new_file_once_and_the_end_of_a_key(path: Path) -> None:
    change_keyring(path, read_keyring(path).rotated(NOW, GRACE))
    watch = KeyWatch(path, read_keyring(path), NOW)
    assert not watch.has_changed(NOW)
    assert watch.has_changed(NOW + GRACE + timedelta(days=1)) and not watch.has_changed(NOW + GRACE + timedelta(days=1))
    change_keyring(path, read_keyring(path).rotated(NOW, GRACE))
    assert watch.has_changed(NOW) and not watch.has_changed(NOW + timedelta(seconds=1))
    os.unlink(path)  # noqa: PTH108 - as an editor does for a moment
    assert not watch.has_changed(NOW)


def test_dkim_keys_are_read_in_every_form(tmp_path: Path) -> None:
    record = rsa().record
    half = len(record) // 2
    (tmp_path / "s1._domainkey.helpdesk.example").write_text(record + "\n")
    (tmp_path / "S2._domainkey.Helpdesk.Example.txt").write_text(f'x IN TXT ( "{record[:half]}"\n "{record[half:]}" )')
    (tmp_path / "s3._domainkey.helpdesk.example.pem").write_text(rsa().public_pem)
    (tmp_path / ".hidden").write_text("nothing")
    found = read_dkim_keys(tmp_path)
    assert found == {f"s{n}._domainkey.helpdesk.example": record for n in (1, 2, 3)}
    assert read_dkim_keys(None) == {}


def test_every_file_that_is_no_dkim_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "readme").write_text("p=1")
    (tmp_path / "s1._domainkey.x.example").write_text("nothing")
    with pytest.raises(ConfigError) as caught:
        read_dkim_keys(tmp_path)
    assert len(caught.value.problems) == 2
    with pytest.raises(ConfigError, match="can't be read"):
        read_dkim_keys(tmp_path / "none")
