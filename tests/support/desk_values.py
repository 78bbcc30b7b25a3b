"""Tickets, agents and policies for tests of the core."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from mailbot.mail.message import Address
from mailbot.ticket.service_hours import ServiceHours
from mailbot.ticket.ticket import (
    Agent,
    Policy,
    Status,
    Ticket,
)

MONDAY = datetime(2025, 11, 3, 3, 0, tzinfo=UTC)  # 10:00 WIB, within service hours
SUNDAY = datetime(2025, 11, 2, 3, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)

ACHA = Address("acha@sekolah.example", "Acha")
SALLY = Agent("sally@helpdesk.example", "Sally", ("sally@rumah.example",))
BUDI = Agent("budi@helpdesk.example", "Budi", role="lead")
POLICY = Policy(hours=ServiceHours(ZoneInfo("Asia/Jakarta")), agents=(SALLY, BUDI))


def ticket(status: Status = Status.QUEUED, **more: object) -> Ticket:
    """Ticket #12345 of Acha."""
    values: dict[str, object] = {
        "number": 12345, "subject": "Tidak bisa tutup BKU", "requester": ACHA, "status": status,
        "created_at": MONDAY, "updated_at": MONDAY, "notified": (SALLY.email, BUDI.email),
    }  # fmt: skip
    return Ticket(**(values | more))  # type: ignore[arg-type]
