"""The use cases: every transaction of the desk, and the rules that a mail passes on its way in and out.

The way in is `helpdesk.Helpdesk`, which `wiring.open_desk` builds from the settings. `inbound` handles what comes,
`outbound` writes and sends what goes out; they meet in `context`, `apply_event` and `views`.
"""
