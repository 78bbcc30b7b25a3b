"""The machine below mailbot: clock, logs, memory, locks, subprocesses, systemd.

No single way in: each module serves one need, and knows neither mail nor tickets.
"""
