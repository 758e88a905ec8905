"""How commands reach Valkey or Redis.

It imports no other sub-room. Begin with `valkey.py`; `pipe.py` is the connection that codes are taken over.
"""
