"""Commands reach Valkey or Redis through this room.

It imports no other sub-room. Begin with `valkey.py`; `pipe.py` is the connection that codes are taken over, and `node.py`
keeps one to a server. `address.py` reads the setting, `sentinel.py` finds the primary, and `cluster.py` the node of a key.
"""
