"""Moments as JSON shows them: RFC 3339 with an offset, to the millisecond, in a zone of the reader's choice."""

from __future__ import annotations

from datetime import datetime, tzinfo


def rfc3339(moment: datetime, zone: tzinfo) -> str:
    """`2025-11-03T10:45:13.000+07:00`"""
    return moment.astimezone(zone).isoformat(timespec="milliseconds")


def rfc3339_or_null(moment: datetime | None, zone: tzinfo) -> str | None:
    """The same, or None (JSON's null) where there is no moment."""
    return None if moment is None else rfc3339(moment, zone)
