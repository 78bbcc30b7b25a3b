"""Mail with real DKIM signatures, under RSA keys that openssl makes for the test."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from dkim import DKIM

COVERED = (
    b"from", b"from", b"subject", b"subject", b"date", b"message-id", b"to", b"to", b"cc", b"in-reply-to",
    b"references",
    b"mime-version", b"content-type", b"content-transfer-encoding",
)  # fmt: skip


@dataclass(frozen=True)
class Rsa:
    """A private key and the TXT record and PEM of its public one."""

    private: bytes
    public_pem: str

    @property
    def record(self) -> str:
        return "v=DKIM1; k=rsa; p=" + re.sub(r"-----[A-Z ]+-----|\s", "", self.public_pem)


@lru_cache
def rsa(bits: int = 1024, nth: int = 0) -> Rsa:
    """A key pair; `nth` for another one of that size."""
    made = subprocess.run(["openssl", "genrsa", "-traditional", str(bits)], check=True, capture_output=True)
    public = subprocess.run(["openssl", "rsa", "-pubout"], input=made.stdout, check=True, capture_output=True)
    return Rsa(made.stdout, public.stdout.decode())


def signed(
    raw: bytes, domain: str = "helpdesk.example", selector: str = "s1", *, key: Rsa | None = None,
    covered: Sequence[bytes] = COVERED, algorithm: bytes = b"rsa-sha256", length: bool = False, more: bytes = b"",
) -> bytes:  # fmt: skip
    """`raw` with a DKIM-Signature on top. `more`: tags to put into it before it is signed, as `b"x=1; "`."""
    signer = _Signer(raw, signature_algorithm=algorithm)
    signer.more = more
    signature = signer.sign(
        selector.encode(), domain.encode(), (key or rsa()).private, canonicalize=(b"relaxed", b"relaxed"),
        include_headers=list(covered), length=length,
    )  # fmt: skip
    return bytes(signature) + raw


class _Signer(DKIM):  # type: ignore[misc]
    """A signer that says what the test wants it to say."""

    more = b""

    def gen_header(self, fields, *arguments, **named):  # type: ignore[no-untyped-def]
        extra = [tuple(tag.split(b"=", 1)) for tag in self.more.replace(b" ", b"").split(b";") if tag]
        kept = [(name, value) for name, value in fields if name not in (b"t", *(name for name, _ in extra))]
        return super().gen_header([*kept[:-1], *extra, kept[-1]], *arguments, **named)
