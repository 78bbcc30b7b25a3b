"""A desk, opened for reading only: no schema is upgraded, no key created, no row written.

In: settings. Out: `ReadOnlyDesk`, closed at the end of the `with`; its store is None if there is no database yet.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from mailbot.config.keyring import Key, Keyring
from mailbot.config.model import Settings
from mailbot.desk.profile import DeskProfile
from mailbot.desk.wiring import key_path, make_policy, make_profile, open_store, own_identity, read_keys
from mailbot.errors import NotPossible
from mailbot.mail.classify.facts import OwnIdentity
from mailbot.runtime.clock import SystemClock
from mailbot.store.engine import Store
from mailbot.store.schema_version import HEAD, version
from mailbot.store.unit_of_work import UnitOfWork
from mailbot.ticket.ticket import Policy

# Placeholder for a key that does not exist yet: no reply address was signed with it.
_NO_KEY = Keyring((Key(b"no key was made yet"),))


@dataclass(frozen=True)
class ReadOnlyDesk:
    """What mails are compared with."""

    profile: DeskProfile
    policy: Policy
    own: OwnIdentity
    store: Store | None  # None: there is no database yet
    has_key: bool = True  # False: no reply address was ever signed here


@contextmanager
def open_read_only(settings: Settings) -> Iterator[ReadOnlyDesk]:
    """Open the desk of these settings; NotPossible if its database has another schema version."""
    has_key = key_path(settings).exists()
    profile = make_profile(settings, read_keys(settings) if has_key else _NO_KEY, SystemClock().now())
    policy = make_policy(settings)
    own = own_identity(settings, profile.instance_id if has_key else "")
    url = settings.storage.database_url.get_secret_value()
    if not url and not (settings.storage.data_dir / "mailbot.db").exists():
        yield ReadOnlyDesk(profile, policy, own, None, has_key)
        return
    with open_store(settings, SystemClock()) as store:
        _check_version(store)
        with store.reading() as connection:
            work = UnitOfWork(connection, store.desk_id, store.clock.now(), locking=False)
            policy = replace(policy, agents=work.team(policy.agents))
        yield ReadOnlyDesk(profile, policy, own, store, has_key)


def _check_version(store: Store) -> None:
    with store.reading() as connection:
        found = version(connection)
    if found != HEAD:
        raise NotPossible(
            f"The database {store.described()} has schema {found or '(none)'}, not {HEAD}: explain changes nothing. "
            "Run `mailbot db upgrade`."
        )
