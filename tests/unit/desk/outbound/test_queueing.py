"""mailbot.desk.outbound.queueing: whom a mail is for follows from its kind."""

from __future__ import annotations

import pytest

from mailbot.desk.outbound.queueing import Notification
from mailbot.mail.message import Address, MessageKind

TO = Address("acha@sekolah.example")


@pytest.mark.parametrize("kind", MessageKind)
def test_only_notifications_and_notices_are_for_agents(kind: MessageKind) -> None:
    mail = Notification(kind, TO, "agent/notice", {}, "id")
    assert mail.is_for_agent is (kind in (MessageKind.NOTIFICATION, MessageKind.NOTICE))
    assert not Notification(kind, TO, "agent/notice", {}, "id", to_requester=True).is_for_agent
