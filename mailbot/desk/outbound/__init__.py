"""Outgoing mail: worded, limited, queued in the transaction that asks for it, and delivered later.

The way in is `notifications.Notifications`, for effects of decisions, and `delivery.Delivery`, for the outbox.
"""
