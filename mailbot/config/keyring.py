"""The keys of the signed reply addresses: a file of lines, the newest key first, with a date of end for the older ones.

    # Keys of mailbot's signed reply addresses. The first one signs; the others are believed until their day.
    # instance 0123456789abcdef
    4f1c…                       the key that signs
    # until 2026-02-21
    9a3e…                       believed to the end of that day (UTC), then no more
    77d0…                       believed for ever (nobody gave it an end)

`mailbot key rotate` writes such a file; a plain file of keys, made by hand, is one as well. The mark by which the desk
knows its own mail (`X-Mailbot-Instance`) follows from the oldest key until keys are rotated for the first time; then it
stands in the file as `# instance …` and survives every key.

The file is replaced in one step (a rename, the data synced before it), keeps its owner, and nobody but its owner and
group can read it. A key is a secret: no text made here shows one; `fingerprint` tells them apart.
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
    """One key; `until` is the last day (UTC) on which it is believed, None: no end."""

    secret: bytes
    until: date | None = None

    @property
    def fingerprint(self) -> str:
        """Tells keys apart and gives nothing away."""
        return hashlib.sha256(b"mailbot key " + self.secret).hexdigest()[:8]

    def is_over(self, now: datetime) -> bool:
        """Has its last day passed?"""
        return self.until is not None and now.date() > self.until


@dataclass(frozen=True, slots=True)
class Keyring:
    """All keys of a file, newest first, and the desk's mark where it stands there."""

    keys: tuple[Key, ...]
    mark: str = ""

    @property
    def instance_id(self) -> str:
        """The mark of our mail: nobody who has no key can work it out."""
        return self.mark or hmac.new(self.keys[-1].secret, b"instance", hashlib.sha256).hexdigest()[:16]

    def believed(self, now: datetime) -> tuple[bytes, ...]:
        """The keys that count now; the first one always does."""
        return (self.keys[0].secret, *(key.secret for key in self.keys[1:] if not key.is_over(now)))

    def next_end(self, now: datetime) -> date | None:
        """The day after which the next key is believed no more."""
        return min((k.until for k in self.keys[1:] if k.until is not None and not k.is_over(now)), default=None)

    def rotated(self, now: datetime, grace: timedelta) -> Keyring:
        """A fresh key first; the others end after `grace` at the latest, those whose day has passed are left out."""
        last = (now + grace).date()
        fresh = Key(secrets.token_hex(32).encode())
        kept = (replace(k, until=min(k.until or last, last)) for k in self.keys if not k.is_over(now))
        return Keyring((fresh, *(kept if grace else ())), self.instance_id)

    def content(self) -> bytes:
        """The file's content."""
        lines = [_HEAD, f"# instance {self.instance_id}\n".encode()]
        for key in self.keys:
            lines += [f"# until {key.until.isoformat()}\n".encode()] if key.until else []
            lines.append(key.secret + b"\n")
        return b"".join(lines)


def read_keyring(path: Path) -> Keyring:
    """The keys of a file. Raises ConfigError that says what is wrong, and shows none of it."""
    try:
        lines = [line.strip() for line in path.read_bytes().splitlines()]
    except OSError as error:
        raise ConfigError(
            [f"helpdesk.secret_file: {path} can't be read ({error.strerror}): let mailbot's user read it"]
        ) from error
    keys: list[Key] = []
    until: date | None = None
    mark = ""
    for line in lines:
        if line.startswith(b"#"):
            comment = line.decode("utf-8", "replace")
            if found := _INSTANCE.match(comment):
                mark = found[1]
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
    return Keyring(tuple(keys), mark)


def _day(written: str, path: Path) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError as error:
        raise ConfigError([f'helpdesk.secret_file: {path} has "# until {written}", which is no day']) from error


def make_key_file(path: Path) -> None:
    """Write a fresh key where there is none; of two processes that do, the first one's counts, whole."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(path):
        draft = _draft(path, secrets.token_hex(32).encode() + b"\n")
        try:
            os.link(draft, path)
        except FileExistsError:
            return  # somebody else was faster: theirs is read
        finally:
            draft.unlink()
    _sync_folder(path.parent)  # a key that a power cut takes away would make every address that was given out worthless


def change_keyring(path: Path, change: Keyring) -> None:
    """Put a keyring in the file's place, in one step; its owner and its group's right to read stay."""
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
    """Remove what somebody left beside the file who was killed before it had its name: keys are in it. How many."""
    if not any(_is_draft(each.name, path.name) for each in path.parent.iterdir()):
        return 0
    with _locked(path, wait_seconds=0) as is_ours:
        left = [each for each in path.parent.iterdir() if _is_draft(each.name, path.name)] if is_ours else []
        for draft in left:
            draft.unlink(missing_ok=True)
    return len(left)


def _is_draft(name: str, of: str) -> bool:
    return re.fullmatch(rf"\.{re.escape(of)}\.[0-9a-f]{{8}}", name) is not None


@contextlib.contextmanager
def only_one_writer(path: Path) -> Iterator[None]:
    """Two rotations at once come one after the other."""
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(_locked(path))
        except OSError as error:
            raise NotPossible(f"{path.parent} can't be written to ({error.strerror})") from error
        yield


@contextlib.contextmanager
def _locked(path: Path, wait_seconds: float = 10.0) -> Iterator[bool]:
    """Nobody else makes a draft meanwhile; False where somebody does."""
    lock = FileLock(path.with_name(f".{path.name}.lock"))
    is_ours = lock.acquire(wait_seconds)
    try:
        yield is_ours
    finally:
        lock.release()


def _draft(path: Path, content: bytes, mode: int = 0o600) -> Path:
    """A synced file beside `path`."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(content)
        out.flush()
        os.fchmod(out.fileno(), mode)
        os.fsync(out.fileno())
    return draft


def _sync_folder(folder: Path) -> None:
    """The new name is on disk too."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class KeyWatch:
    """Has the file changed, or a key's last day passed, since it was last asked? For a daemon that runs for months."""

    def __init__(self, path: Path, ring: Keyring, now: datetime) -> None:
        self._path = path
        self._ring = ring
        self._seen = _stamp(path)
        self._counted = ring.believed(now)

    def has_news(self, now: datetime) -> bool:
        """True once for each change; a file that can't be seen at the moment is none."""
        stamp, counted = _stamp(self._path), self._ring.believed(now)
        changed = (stamp is not None and stamp != self._seen) or counted != self._counted
        self._seen, self._counted = stamp or self._seen, counted
        return changed


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
