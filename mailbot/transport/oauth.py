"""Access tokens for XOAUTH2 (Gmail, Microsoft 365): read, refreshed, cached until shortly before they expire.

In: the keys `token_file`, `token_command` and `password` of a server section. Out: an access token, from the first of
these that is set:
- `token_command`: a program that prints an access token on its first line (oama, mutt_oauth2, gcloud …);
- `token_file` with JSON: `client_id`, `client_secret`, `refresh_token`, `token_uri`, optionally `scope`: the access
  token is fetched from `token_uri` (RFC 6749 §6), and a refresh token that the server changed is written back;
- `token_file` with anything else: the access token itself, refreshed by another program, read again at each log-in;
- `password`: the access token itself.
An expired or revoked consent is `TokenRefused`; a network failure is `TokenUnavailable`. Never: the consent dialogue; a
token in a log or an error.
"""

from __future__ import annotations

import json
import logging
import os
import shlex
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailbot.config.values import is_loopback
from mailbot.errors import PermanentError, TemporaryError
from mailbot.runtime.clock import Clock, SystemClock
from mailbot.transport.tls import client_context, explain

if TYPE_CHECKING:
    from pydantic import SecretStr

    from mailbot.config.model import ServerSettings

log = logging.getLogger(__name__)

# A token is refreshed this long before it expires, so that it does not expire between our check and the server's.
RENEW_BEFORE = timedelta(minutes=2)
# RFC 6749 §5.1 makes `expires_in` optional; a short lifetime is the safe assumption.
ASSUMED_LIFETIME = timedelta(minutes=10)
TIMEOUT = 30.0
LONGEST_ANSWER = 65536

# Error codes of RFC 6749 §5.2 for which a retry is pointless, with the remedy.
REFUSALS: dict[str, str] = {
    # The refresh token expired or was revoked, or the password was changed.
    "invalid_grant": "the consent has ended: let the owner of the mailbox consent again, and store the new token",
    # Microsoft's word for a consent that needs the person again.
    "interaction_required": "the consent has ended: let the owner of the mailbox consent again",
    # The application itself: its id, its secret, its rights.
    "invalid_client": "client_id or client_secret is wrong or has expired",
    "unauthorized_client": "the application may not use refresh tokens: correct its registration",
    "unsupported_grant_type": "token_uri is not an OAuth 2 token endpoint that knows refresh tokens",
    "invalid_scope": "scope is wrong: leave it out, or name what was consented to",
    "invalid_request": "the token file lacks something that the server requires",
}


class TokenRefused(PermanentError):
    """No token until a person acts: the consent has expired, or the application is not allowed."""


class TokenUnavailable(TemporaryError):
    """No token at the moment: network, server or file."""


def xoauth2(username: str, token: str) -> str:
    """Return the client response of the SASL mechanism XOAUTH2 (developers.google.com/gmail/imap/xoauth2-protocol)."""
    return f"user={username}\x01auth=Bearer {token}\x01\x01"


class TokenSource:
    """Access tokens for one section of the configuration (`section`: "imap" or "smtp")."""

    def __init__(
        self,
        section: str,
        *,
        token_file: str = "",
        token_command: str = "",
        password: SecretStr | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._section = section
        self._file = token_file
        self._command = token_command
        self._password = password
        self._clock = clock or SystemClock()
        self._token = ""
        self._valid_until: datetime | None = None
        self._rotated = ""  # a refresh token newer than the file's, if the file can't be written

    @classmethod
    def of(cls, settings: ServerSettings, section: str) -> TokenSource:
        """Return the source for a section of the configuration."""
        return cls(
            section, token_file=settings.token_file, token_command=settings.token_command, password=settings.password
        )

    def token(self) -> str:
        """Return an access token valid for at least two more minutes. Raises TokenRefused or TokenUnavailable."""
        if self._command:
            return self._from_command()
        if not self._file:
            token = self._password.get_secret_value().strip() if self._password else ""
            if not token:
                raise TokenRefused(f'{self._section}.auth = "xoauth2" needs token_file or token_command there.')
            return token
        if self._token and self._valid_until and self._clock.now() < self._valid_until:
            return self._token
        return self._from_file()

    def forget(self) -> None:
        """Discard the cached token, which the server refused: the next call fetches a new one."""
        self._token, self._valid_until = "", None

    def _from_command(self) -> str:
        import subprocess  # few desks need it; imported at the top, all would start slower

        from mailbot.runtime.subprocesses import bound_to_parent

        try:
            command = bound_to_parent(shlex.split(self._command))
            done = subprocess.run(  # noqa: S603  # the admin's own command, no shell between
                command, capture_output=True, text=True, timeout=TIMEOUT, check=False
            )
        except (OSError, ValueError, subprocess.TimeoutExpired) as error:
            raise TokenUnavailable(f"{self._section}.token_command could not be run: {error}") from error
        lines = done.stdout.split()
        if done.returncode != 0 or not lines:
            said = " ".join(done.stderr.split())[:300] or "nothing"
            raise TokenUnavailable(
                f"{self._section}.token_command gave no token (exit {done.returncode}; it said: {said})."
            )
        return lines[0]

    def _from_file(self) -> str:
        try:
            text = Path(self._file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise TokenUnavailable(f"{self._section}.token_file {self._file} cannot be read: {error}") from error
        if not text.startswith("{"):
            return text
        try:
            grant: dict[str, Any] = json.loads(text)
        except ValueError as error:
            raise TokenRefused(f"{self._section}.token_file {self._file} is no JSON: {error}") from error
        missing = [key for key in ("client_id", "refresh_token", "token_uri") if not grant.get(key)]
        if missing:
            raise TokenRefused(f"{self._section}.token_file {self._file} lacks {', '.join(missing)}.")
        return self._refresh(grant)

    def _refresh(self, grant: dict[str, Any]) -> str:
        """Exchange the refresh token for an access token (RFC 6749 §6)."""
        form = {
            "grant_type": "refresh_token",
            "refresh_token": self._rotated or grant["refresh_token"],
            "client_id": grant["client_id"],
        }
        form.update({key: grant[key] for key in ("client_secret", "scope") if grant.get(key)})
        answer = self._post(str(grant["token_uri"]), form)
        token = answer.get("access_token")
        if not isinstance(token, str) or not token:
            raise TokenUnavailable(f"{grant['token_uri']} answered without an access token.")
        expires_in = str(answer.get("expires_in"))
        # Some servers send the number as a string.
        lifetime = timedelta(seconds=int(expires_in)) if expires_in.isdigit() else ASSUMED_LIFETIME
        self._token, self._valid_until = token, self._clock.now() + lifetime - RENEW_BEFORE
        rotated = answer.get("refresh_token")
        if isinstance(rotated, str) and rotated and rotated != form["refresh_token"]:
            self._save({**grant, "refresh_token": rotated})
        return token

    def _post(self, address: str, form: dict[str, str]) -> dict[str, Any]:
        """POST `form`; return the JSON object of the response."""
        import urllib.error  # few desks need them; imported at the top, all would start slower
        import urllib.parse
        import urllib.request

        parts = urllib.parse.urlsplit(address)
        if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
            raise TokenRefused(f"token_uri {address} is not https: secrets are not sent there.")
        request = urllib.request.Request(  # noqa: S310  # the scheme was checked above
            address, urllib.parse.urlencode(form).encode("ascii"), {"Accept": "application/json"}
        )
        context = client_context("") if parts.scheme == "https" else None
        try:
            # S310: as above.
            with urllib.request.urlopen(request, timeout=TIMEOUT, context=context) as response:  # noqa: S310
                found = json.loads(response.read(LONGEST_ANSWER))
        except urllib.error.HTTPError as error:
            with error:
                raise self._refusal(address, error.code, error.read(LONGEST_ANSWER)) from error
        except urllib.error.URLError as error:
            cause = error.reason if isinstance(error.reason, Exception) else error
            raise TokenUnavailable(f"{parts.netloc}: {explain(cause, self._section)}") from error
        except (OSError, ValueError) as error:
            raise TokenUnavailable(f"{parts.netloc}: no usable answer: {error}") from error
        if not isinstance(found, dict):
            raise TokenUnavailable(f"{parts.netloc}: the answer is no JSON object.")
        return found

    def _refusal(self, address: str, status: int, body: bytes) -> TokenRefused | TokenUnavailable:
        """Return the error for a refusal: RFC 6749 §5.2's codes need a person, anything else may be temporary."""
        try:
            found = json.loads(body)
        except ValueError:
            found = {}
        answer = found if isinstance(found, dict) else {}
        code = str(answer.get("error", ""))
        said = " ".join(str(answer.get("error_description", "")).split())[:300]
        if code in REFUSALS:
            return TokenRefused(f"{address} refused a new token ({code} {said}".rstrip() + f"): {REFUSALS[code]}.")
        return TokenUnavailable(f"{address} gave no token (HTTP {status} {code} {said}".rstrip() + ").")

    def _save(self, grant: dict[str, Any]) -> None:
        """Write the rotated refresh token back atomically, keeping the file's mode."""
        self._rotated = str(grant["refresh_token"])
        path = Path(self._file).resolve()
        try:
            mode = path.stat().st_mode & 0o777
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
            with os.fdopen(handle, "w", encoding="utf-8") as out:
                json.dump(grant, out, indent=2)
                out.flush()
                os.fsync(out.fileno())
            Path(name).chmod(mode)
            Path(name).replace(path)
        except OSError as error:
            log.warning(
                "the server rotated the refresh token, but %s cannot be written (%s): "
                "after a restart the old one is used, which may be refused",
                path,
                error,
            )
        else:
            self._rotated = ""
