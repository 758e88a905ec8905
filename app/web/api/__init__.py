"""The AEMP API: the guard, the documents, telemetry, and the budget of a caller.

It may import the loose files of `web/`. Begin with `aemp.py`; `bearer.py` is the guard.
"""
