"""The desk's pages, where [web] is enabled: a form that makes a report, and the status of a ticket.

`serve(desk)` runs them in a thread beside the daemon. What comes through the form takes the way of every mail; what is
shown of a ticket to somebody who only knows its number is number, status, and the masked address.
"""
