"""Machines, readings, page maps, and the statements that a fleet is read and written by.

It may import `postgres/`, `valkey/` and the counts of reads in `token/`. Begin with `fleet.py` for reading and `history.py` for writing.
"""
