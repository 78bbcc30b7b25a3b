"""Words: why an automatic mail was not sent, for the admin; the keys are `core.restraint.Cap`."""

from __future__ import annotations

WITHHELD = {
    "sender": "[inbound] max_auto_replies_per_sender is reached",
    "ticket": "[inbound] max_auto_replies_per_ticket is reached",
    "echo": "the sender, whom the desk never wrote to, answers mail that went to others",
    "alike": "[inbound] max_auto_replies_alike is reached: new senders with the same words, each right after our mail",
    "domain": "[inbound] max_auto_replies_per_domain is reached: new senders of one domain, each right after our mail",
    "rally": "new senders from everywhere, each right after our mail, at the pace of a machine",
    "spread": "the same words came from thousands of senders",
    "overall": "[inbound] max_auto_replies is reached",
}
