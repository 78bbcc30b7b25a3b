"""DMARC verdict of our own mail server (Authentication-Results, RFC 8601), and whether From names one author.

In: a parsed mail and the trusted authserv-ids of the configuration. Out: the DMARC verdict on the visible From, and the
reason why a From is ambiguous.

Only the topmost field with a trusted authserv-id counts: everything below it may have come with the mail (RFC 8601 §5;
our server must remove forged fields with its own id). DMARC counts only for the domain in From (RFC 7489 §3.1); a pass
that does not say for which domain proves nothing, and neither does SPF alone. Never: decodes the field; an encoded word
in it can come from the sender by way of the envelope.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mailbot.mail.message import InboundMessage
from mailbot.mail.mime.address import addr_spec

MAX_FIELD = 20_000
MISMATCH = "mismatch"

# Defects with which two programs can read two different authors from From, or none.
DOUBTS = {
    "duplicate-from": "more than one From field",
    "ambiguous-address": "a From that can be read in two ways",
    "from-disagreement": "a From that mail programs read in different ways",
    "encoded-address": "an author inside an encoded word",
    "control-in-from": "control characters in From",
}
_AUTHSERV_ID = re.compile(r"\s*(?:\([^()]{0,200}\)\s*)?\"?([A-Za-z0-9._-]{1,255})")
_FAILS = re.compile(r"\bdmarc\s{0,3}=\s{0,3}fail\b", re.IGNORECASE)


def doubtful_author(message: InboundMessage) -> str:
    """Return why From is ambiguous, so that a server may have checked another author, or ""."""
    found = next((words for defect, words in DOUBTS.items() if defect in message.defects), "")
    if found or len(message.from_) != 1:
        return found or ("more than one author" if message.from_ else "no author in From")
    written = message.headers.get("From")[:MAX_FIELD].strip()
    # RFC 5322 §4.4 and §3.4; nobody uses them in From, and programs find different addresses in them
    return "a source route or a group in From" if "<@" in written or written.endswith(";") else ""


def dmarc_verdict(message: InboundMessage, trusted_authserv_ids: Sequence[str]) -> str:
    """Return `pass`, `fail`, another DMARC result, or "" without a readable result of a trusted server.

    `MISMATCH`: the server checked another domain than the one in From. Of several results the worst one counts.
    """
    trusted = {authserv_id.lower() for authserv_id in trusted_authserv_ids}
    if not trusted:
        return ""
    for value in message.headers.get_all("Authentication-Results"):
        server = _AUTHSERV_ID.match(value)
        if server is not None and server[1].lower() in trusted:
            return _verdict_of(value[:MAX_FIELD], message.from_address.domain)
    return ""


def _verdict_of(value: str, domain: str) -> str:
    from authres import AuthenticationResultsHeader
    from authres.core import AuthResError

    try:
        found = AuthenticationResultsHeader.parse_value(value)
    except (AuthResError, ValueError, RecursionError):
        # The envelope address in it is the sender's choice: it must not turn a failure into "unknown".
        return "fail" if _FAILS.search(value) else ""
    results = [result for result in found.results or () if result.method == "dmarc"]
    verdicts = [_about(result, domain) for result in results]
    if not verdicts and _FAILS.search(value):
        return "fail"  # swallowed by an unclosed quotation mark
    for verdict in ("fail", MISMATCH):
        if verdict in verdicts:
            return verdict
    return verdicts[0] if len(set(verdicts)) == 1 else ""


def _about(result: object, domain: str) -> str:
    """Return one DMARC result as far as it concerns this domain."""
    properties = getattr(result, "properties", ())
    written = next((str(p.value) for p in properties if (p.type, p.name) == ("header", "from")), "")
    checked = addr_spec(f"x@{written.rpartition('@')[2].strip()}").rpartition("@")[2]
    verdict = str(getattr(result, "result", "")).lower()
    if not checked:
        return "" if verdict == "pass" else verdict
    if checked == domain or verdict == "fail":
        return verdict
    related = checked.endswith(f".{domain}") or domain.endswith(f".{checked}")
    return "" if related else MISMATCH


def dmarc_passes(message: InboundMessage, trusted_authserv_ids: Sequence[str]) -> bool:
    """Return whether From names exactly one author and passed DMARC at a trusted server."""
    if len(message.from_) != 1 or doubtful_author(message):
        return False
    return dmarc_verdict(message, trusted_authserv_ids) == "pass"
