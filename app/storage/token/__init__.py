"""Codes, grants, tokens and assertions: everything that the token path stores.

It may import `people/`, `postgres/` and `valkey/`. Begin with `grants.py`; `gathered.py` lists the statements that
are shared, and `standing.py` says what each of them judges.
"""
