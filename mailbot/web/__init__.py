"""The pages for requesters, if [web] is enabled: a form for reports, and the status of a ticket.

`server.WebServer` runs them in a thread beside the daemon. A report of the form is processed like any mail; somebody
who only knows a ticket's number sees number, status, and the masked address.
"""
