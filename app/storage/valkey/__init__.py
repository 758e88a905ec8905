"""Commands reach Valkey or Redis through this room.

It imports no other sub-room. Begin with `valkey.py`; `pipe.py` is the connection that codes are taken over.
"""
