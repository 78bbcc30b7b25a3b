"""The people of the demo and their addresses (RFC 2606: nobody owns `.example`)."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import formataddr

DESK_NAME = "Helpdesk BOSP"
DESK_BRAND = "BOSP"
DESK_ADDRESS = "support@helpdesk.example"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a mailbox."""

    key: str  # names them in the page's API
    name: str
    email: str
    agent: bool  # an agent of the helpdesk, else a requester
    signature: str = ""

    @property
    def mailbox(self) -> str:
        """Name and address as in a header field."""
        return formataddr((self.name, self.email))


SDN1 = Person("sdn1", "SDN 1 Menteng", "sdn1.menteng@sekolah.example", False)
SMPN3 = Person("smpn3", "SMPN 3 Sleman", "smpn3.sleman@sekolah.example", False)
SALLY = Person("sally", "Sally", "sally@helpdesk.example", True, "Sally\nHelpdesk BOSP")
BUDI = Person("budi", "Budi", "budi@helpdesk.example", True, "Budi\nHelpdesk BOSP")

PEOPLE = (SDN1, SMPN3, SALLY, BUDI)
BY_KEY = {person.key: person for person in PEOPLE}
BY_EMAIL = {person.email: person for person in PEOPLE}


def is_desk(address: str) -> bool:
    """Whether this is the desk's address, or one of its signed reply addresses (support+TOKEN@…)."""
    local, _, domain = address.lower().rpartition("@")
    desk_local, _, desk_domain = DESK_ADDRESS.rpartition("@")
    return domain == desk_domain and local.partition("+")[0] == desk_local
