"""Several workers on one PostgreSQL desk: who is alive (`leases`), who processes which mail (`claims`).

`worker_name` gives each worker its name.
"""
