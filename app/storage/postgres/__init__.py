"""Statements reach PostgreSQL through pools, shared round trips, and memories that hear what ended.

It imports no other sub-room. Begin with `database.py`, then `gather.py` and `remembered.py`.
"""
