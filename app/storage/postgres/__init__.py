"""How statements reach PostgreSQL: pools, statements that share a round trip, and memories that hear what ended.

It imports no other sub-room. Begin with `database.py`, then `gather.py` and `remembered.py`.
"""
