"""What our own mail server found out about a sender: Authentication-Results (RFC 8601), believed from it alone.

In: a parsed mail and the authserv-ids that the configuration trusts. Out: the DMARC verdict on the From that we see,
and whether a From can be believed to name one author at all.

Only the topmost field with the authserv-id of a server that the configuration trusts counts: everything below may
have come with the mail (RFC 8601 §5; our server must remove forged fields with its own id). DMARC counts only for
the domain that stands in From (RFC 7489 §3.1); a pass that does not say which domain it is about proves nothing. SPF
alone proves nothing about From. The field is read as it stands on the wire: an encoded word in it, which a sender can
have put there by way of the envelope, is never decoded.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mailbot.mail.message import InboundMessage
from mailbot.mail.mime.address import addr_spec

MAX_FIELD = 20_000
MISMATCH = "mismatch"

# Fields of From that one program reads as one author, and another as another one, or as none.
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
    """Why this From does not name one author for sure, in words, or "": then a server may have checked another one."""
    found = next((words for defect, words in DOUBTS.items() if defect in message.defects), "")
    if found or len(message.from_) != 1:
        return found or ("more than one author" if message.from_ else "no author in From")
    written = message.headers.get("From")[:MAX_FIELD].strip()
    # RFC 5322 §4.4 and §3.4, and in From nobody's: few programs find the address in it, and not all the same
    return "a source route or a group in From" if "<@" in written or written.endswith(";") else ""


def dmarc_verdict(message: InboundMessage, trusted_authserv_ids: Sequence[str]) -> str:
    """`pass`, `fail`, another DMARC result, or "" where no trusted server said anything that can be read.

    `MISMATCH`: the server checked another domain than that of the From that we see. Of several results the worst one
    counts.
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
        # A sender chooses what stands in it as envelope address: that must not make a failure unknown.
        return "fail" if _FAILS.search(value) else ""
    results = [result for result in found.results or () if result.method == "dmarc"]
    verdicts = [_about(result, domain) for result in results]
    if not verdicts and _FAILS.search(value):
        return "fail"  # swallowed by a quotation mark that never ends
    for verdict in ("fail", MISMATCH):
        if verdict in verdicts:
            return verdict
    return verdicts[0] if len(set(verdicts)) == 1 else ""


def _about(result: object, domain: str) -> str:
    """One DMARC result, as far as it is about this domain."""
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
    """Did our server find that the domain in From stands by this mail, which names one author beyond doubt?"""
    if len(message.from_) != 1 or doubtful_author(message):
        return False
    return dmarc_verdict(message, trusted_authserv_ids) == "pass"
