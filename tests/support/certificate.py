"""A self-signed certificate for loopback, made by openssl: for the TLS of the servers that tests start."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Certificate:
    """PEM files; `certificate` is also what a client has to trust."""

    certificate: Path
    key: Path


def make_certificate(home: Path) -> Certificate:
    """Make one in `home`, for the names localhost and 127.0.0.1, good for ten days."""
    made = Certificate(home / "loopback.pem", home / "loopback.key")
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 10 -subj /CN=localhost "
        "-addext subjectAltName=DNS:localhost,IP:127.0.0.1"
    )
    subprocess.run(
        [*command.split(), "-keyout", str(made.key), "-out", str(made.certificate)], check=True, capture_output=True
    )
    return made
