"""[agent_mail] dkim_keys: a folder of public DKIM keys, one file each, named by the DNS name of its record.

In: the folder. Out: TXT records by name, lower case, for `mail.classify.dkim`. A file is named
`SELECTOR._domainkey.DOMAIN` (with or without `.txt` or `.pem`) and holds the TXT record as in DNS
(`v=DKIM1; k=rsa; p=…`), as in a zone file (quoted strings, in brackets), or the key as PEM. Get one with
`dig +short TXT SELECTOR._domainkey.DOMAIN`. DNS is never queried: when keys are rotated, the new one has to be added.
Standards: RFC 6376 §3.6.
"""

from __future__ import annotations

import re
from pathlib import Path

from mailbot.errors import ConfigError

MAX_FILE = 20_000
_NAME = re.compile(r"[a-z0-9_][a-z0-9_.-]{0,200}\._domainkey\.[a-z0-9][a-z0-9.-]{0,250}")
_PEM = re.compile(r"-----BEGIN (?:RSA )?PUBLIC KEY-----([A-Za-z0-9+/=\s]+)-----END")
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')


def read_dkim_keys(folder: Path | None) -> dict[str, str]:
    """Read the keys in the folder; raises ConfigError that names every file that holds none."""
    if folder is None:
        return {}
    try:
        files = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    except OSError as error:
        raise ConfigError(
            [f"agent_mail.dkim_keys: {folder} can't be read ({error.strerror}); allowed: a folder"]
        ) from error
    found: dict[str, str] = {}
    faults: list[str] = []
    for path in files:
        name = path.name.lower().removesuffix(".txt").removesuffix(".pem")
        try:
            record = _record(path.read_bytes()[:MAX_FILE].decode())
        except (OSError, UnicodeDecodeError):
            record = ""
        if record and _NAME.fullmatch(name):
            found[name] = record
        else:
            faults.append(
                f"agent_mail.dkim_keys: {path} is no DKIM key; allowed: a file SELECTOR._domainkey.DOMAIN with "
                '"v=DKIM1; k=rsa; p=…" or a public key as PEM'
            )
    if faults:
        raise ConfigError(faults)
    return found


def _record(text: str) -> str:
    """Return the TXT record in a file, or ""."""
    pem = _PEM.search(text)
    if pem is not None:
        return "v=DKIM1; k=rsa; p=" + "".join(pem[1].split())
    strings = _STRING.findall(text)
    record = "".join(strings) if strings else " ".join(text.split())
    return record if re.search(r"(?:^|;)\s*p\s*=", record) else ""
