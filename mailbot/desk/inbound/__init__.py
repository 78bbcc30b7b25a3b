"""Incoming mail: analysed, matched to a ticket, applied to it, or put into quarantine.

The way in is `processor.Processor` for stored mail, which calls `handler.handle` for each.
"""
