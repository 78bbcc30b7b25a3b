"""What our own mail server found out about a sender: Authentication-Results (RFC 8601), believed from it alone.

Only the topmost field with the authserv-id of a server that the configuration trusts counts: everything below may
have come with the mail (RFC 8601 §5; our server must remove forged fields with its own id). DMARC counts only for
the domain that stands in From (RFC 7489 §3.1). SPF alone proves nothing about From.
"""

from __future__ import annotations

from collections.abc import Sequence

from mailbot.core.message import InboundMessage

MAX_FIELD = 20_000


def dmarc_verdict(message: InboundMessage, trusted_authserv_ids: Sequence[str]) -> str:
    """`pass`, `fail`, another DMARC result, or "" where no trusted server said anything that can be read."""
    trusted = {authserv_id.lower() for authserv_id in trusted_authserv_ids}
    if not trusted:
        return ""
    from authres import AuthenticationResultsHeader
    from authres.core import AuthResError

    for value in message.headers.get_all("Authentication-Results"):
        try:
            found = AuthenticationResultsHeader.parse_value(value[:MAX_FIELD])
        except AuthResError:
            continue  # Microsoft 365 writes one without an authserv-id: nobody's word
        if str(found.authserv_id).lower() not in trusted:
            continue
        for result in found.results or ():
            if result.method != "dmarc":
                continue
            header_from = next((str(p.value) for p in result.properties if (p.type, p.name) == ("header", "from")), "")
            domain = header_from.rpartition("@")[2].strip().lower()
            if domain and domain != message.from_address.domain:
                return ""  # the verdict is about another domain than the From that we see
            return str(result.result).lower()
        return ""  # the topmost one of our server has no DMARC result: the ones below are not ours
    return ""


def dmarc_passes(message: InboundMessage, trusted_authserv_ids: Sequence[str]) -> bool:
    """Did our server find that the domain in From stands by this mail?"""
    return len(message.from_) == 1 and dmarc_verdict(message, trusted_authserv_ids) == "pass"
