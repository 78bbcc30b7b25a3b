"""The probes of `mailbot check`, one module per purpose: `configuration`, `machine`, `servers`, `service`.

A probe takes the settings and yields `CheckResult`s. It tries a part as the daemon would use it, and changes nothing.
"""
