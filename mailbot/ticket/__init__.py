"""A ticket, what happens to it and what follows: pure decisions, without I/O. The way in is `lifecycle.decide`."""
