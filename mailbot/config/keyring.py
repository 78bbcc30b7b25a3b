"""The key file of the signed reply addresses: one key per line, the newest first, older ones with an expiry date.

    # Keys of mailbot's signed reply addresses. The first one signs; the others are believed until their day.
    # instance 0123456789abcdef
    4f1c…                       the signing key
    # until 2026-02-21
    9a3e…                       accepted until the end of that day (UTC)
    77d0…                       accepted for ever (it has no expiry date)

`mailbot key rotate` writes such a file; a plain list of keys made by hand is valid too. The id by which the desk
recognises its own mail (`X-Mailbot-Instance`) is derived from the oldest key until keys are rotated for the first time;
from then on it is written in the file as `# instance …` and survives every key.

The file is replaced atomically (written, synced, renamed), keeps its owner, and only its owner and group can read it.
Keys are secrets: no message contains one; `fingerprint` distinguishes them.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import re
import secrets
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

from mailbot.errors import ConfigError, NotPossible
from mailbot.runtime.filelock import FileLock

MIN_KEY = 16
_UNTIL = re.compile(r"#\s*until\s+(\d{4}-\d{2}-\d{2})\s*\Z")
_INSTANCE = re.compile(r"#\s*instance\s+([0-9a-f]{16})\s*\Z")
_HEAD = (
    b"# Keys of mailbot's signed reply addresses. The first one signs; the others are believed until their day.\n"
    b"# Keep this file secret and backed up: whoever has it can sign as the desk. `mailbot key rotate` adds a key.\n"
)


@dataclass(frozen=True, slots=True)
class Key:
    """One key."""

    secret: bytes
    until: date | None = None  #: the last day (UTC) on which it is accepted; None: no end

    @property
    def fingerprint(self) -> str:
        """A short digest that distinguishes keys and reveals nothing."""
        return hashlib.sha256(b"mailbot key " + self.secret).hexdigest()[:8]

    def is_expired(self, now: datetime) -> bool:
        """Tell whether its last day has passed."""
        return self.until is not None and now.date() > self.until


@dataclass(frozen=True, slots=True)
class Keyring:
    """All keys of a file."""

    keys: tuple[Key, ...]  #: newest first
    instance: str = ""  #: the desk's id, where the file has it

    @property
    def instance_id(self) -> str:
        """The id of our mail, which can't be computed without a key."""
        return self.instance or hmac.new(self.keys[-1].secret, b"instance", hashlib.sha256).hexdigest()[:16]

    def accepted(self, now: datetime) -> tuple[bytes, ...]:
        """Return the keys that are accepted now; the first one always is."""
        return (self.keys[0].secret, *(key.secret for key in self.keys[1:] if not key.is_expired(now)))

    def rotated(self, now: datetime, grace: timedelta) -> Keyring:
        """Return the keyring with a new signing key; the others expire after `grace` at the latest, or are dropped."""
        last = (now + grace).date()
        fresh = Key(secrets.token_hex(32).encode())
        kept = (replace(k, until=min(k.until or last, last)) for k in self.keys if not k.is_expired(now))
        return Keyring((fresh, *(kept if grace else ())), self.instance_id)

    def content(self) -> bytes:
        """Return the content of the file."""
        lines = [_HEAD, f"# instance {self.instance_id}\n".encode()]
        for key in self.keys:
            lines += [f"# until {key.until.isoformat()}\n".encode()] if key.until else []
            lines.append(key.secret + b"\n")
        return b"".join(lines)


def read_keyring(path: Path) -> Keyring:
    """Read a key file; raises ConfigError with the mistake, but no part of a key."""
    try:
        lines = [line.strip() for line in path.read_bytes().splitlines()]
    except OSError as error:
        raise ConfigError(
            [f"helpdesk.secret_file: {path} can't be read ({error.strerror}): let mailbot's user read it"]
        ) from error
    keys: list[Key] = []
    until: date | None = None
    instance = ""
    for line in lines:
        if line.startswith(b"#"):
            comment = line.decode("utf-8", "replace")
            if found := _INSTANCE.match(comment):
                instance = found[1]
            if found := _UNTIL.match(comment):
                until = _day(found[1], path)
        elif line:
            keys.append(Key(line, until))
            until = None
    if not keys or any(len(key.secret) < MIN_KEY for key in keys):
        raise ConfigError(
            [
                f"helpdesk.secret_file: {path} holds {'a key that is too short' if keys else 'no key'}; allowed: lines "
                "of at least 16 characters, the newest first (make one with: openssl rand -hex 32)"
            ]
        )
    return Keyring(tuple(keys), instance)


def _day(written: str, path: Path) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError as error:
        raise ConfigError([f'helpdesk.secret_file: {path} has "# until {written}", which is not a date']) from error


def make_key_file(path: Path) -> None:
    """Create a key file where there is none; of two processes that do, the first one wins."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(path):
        draft = _draft(path, secrets.token_hex(32).encode() + b"\n")
        try:
            os.link(draft, path)
        except FileExistsError:
            return  # another process was faster: its key is read
        finally:
            draft.unlink()
    _sync_folder(path.parent)  # losing the key in a power failure would invalidate every reply address it signed


def change_keyring(path: Path, change: Keyring) -> None:
    """Replace the key file atomically; its owner and the group's read permission stay."""
    try:
        found = path.stat()
        draft = _draft(path, change.content(), stat.S_IMODE(found.st_mode) & 0o640 | 0o600)
        try:
            if (found.st_uid, found.st_gid) != (os.geteuid(), os.getegid()):
                os.chown(draft, found.st_uid, found.st_gid)
            draft.replace(path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)
    except OSError as error:
        raise NotPossible(
            f"{path} can't be replaced ({error.strerror}): run this as the file's owner or root"
        ) from error


def remove_drafts(path: Path) -> int:
    """Remove drafts, which hold keys, of processes killed before the rename; return how many there were."""
    if not any(_is_draft(each.name, path.name) for each in path.parent.iterdir()):
        return 0
    with _locked(path, wait_seconds=0) as is_ours:
        drafts = [each for each in path.parent.iterdir() if _is_draft(each.name, path.name)] if is_ours else []
        for draft in drafts:
            draft.unlink(missing_ok=True)
    return len(drafts)


def _is_draft(name: str, of: str) -> bool:
    return re.fullmatch(rf"\.{re.escape(of)}\.[0-9a-f]{{8}}", name) is not None


@contextlib.contextmanager
def only_one_writer(path: Path) -> Iterator[None]:
    """Serialise rotations that are started at the same time."""
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(_locked(path))
        except OSError as error:
            raise NotPossible(f"{path.parent} can't be written to ({error.strerror})") from error
        yield


@contextlib.contextmanager
def _locked(path: Path, wait_seconds: float = 10.0) -> Iterator[bool]:
    """Hold the lock for writing drafts; yields False where another process holds it."""
    lock = FileLock(path.with_name(f".{path.name}.lock"))
    is_ours = lock.acquire(wait_seconds)
    try:
        yield is_ours
    finally:
        lock.release()


def _draft(path: Path, content: bytes, mode: int = 0o600) -> Path:
    """Write a synced file beside `path` and return its path."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(content)
        out.flush()
        os.fchmod(out.fileno(), mode)
        os.fsync(out.fileno())
    return draft


def _sync_folder(folder: Path) -> None:
    """Make a new name in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class KeyWatch:
    """Notices that the key file was changed or a key has expired, for a daemon that runs for months."""

    def __init__(self, path: Path, ring: Keyring, now: datetime) -> None:
        self._path = path
        self._ring = ring
        self._seen = _stamp(path)
        self._accepted = ring.accepted(now)

    def has_changed(self, now: datetime) -> bool:
        """Return True once per change; a file that can't be read at the moment counts as unchanged."""
        stamp, accepted = _stamp(self._path), self._ring.accepted(now)
        changed = (stamp is not None and stamp != self._seen) or accepted != self._accepted
        self._seen, self._accepted = stamp or self._seen, accepted
        return changed


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
