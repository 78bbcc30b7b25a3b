"""Who takes part in the demo, and the addresses on its little internet (RFC 2606: `.example` is nobody's)."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import formataddr

DESK_NAME = "Helpdesk BOSP"
DESK_BRAND = "BOSP"
DESK_ADDRESS = "support@helpdesk.example"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a mailbox. `key` names them in the page's addresses; `agent`: of the helpdesk, else of a school."""

    key: str
    name: str
    email: str
    agent: bool
    signature: str = ""

    @property
    def mailbox(self) -> str:
        """Name and address as a header has them."""
        return formataddr((self.name, self.email))


SDN1 = Person("sdn1", "SDN 1 Menteng", "sdn1.menteng@sekolah.example", False)
SMPN3 = Person("smpn3", "SMPN 3 Sleman", "smpn3.sleman@sekolah.example", False)
SALLY = Person("sally", "Sally", "sally@helpdesk.example", True, "Sally\nHelpdesk BOSP")
BUDI = Person("budi", "Budi", "budi@helpdesk.example", True, "Budi\nHelpdesk BOSP")

PEOPLE = (SDN1, SMPN3, SALLY, BUDI)
BY_KEY = {person.key: person for person in PEOPLE}
BY_EMAIL = {person.email: person for person in PEOPLE}


def is_desk(address: str) -> bool:
    """Is this the desk's address, or one of its signed reply addresses (support+TOKEN@…)?"""
    local, _, domain = address.lower().rpartition("@")
    desk_local, _, desk_domain = DESK_ADDRESS.rpartition("@")
    return domain == desk_domain and local.partition("+")[0] == desk_local
