"""The tables of tokens on a PostgreSQL that is many: Citus, behind ROVITRACKER_DISTRIBUTED.

It may import `postgres/`, `schema/` and `token/`, and nothing of storage imports it. Begin with `placement.py`, which says what
lies where; `distribute.py` brings it there.
"""
