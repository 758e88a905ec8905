"""The only room that knows PostgreSQL and Valkey: each function runs one statement, which stands above it.

It may import the rules. Begin with `token/grants.py`; `errors.py` says what a store can answer.
"""
