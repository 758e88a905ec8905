"""The rules of the RFCs as pure functions and values: no store, no clock, no framework.

It imports no other room. Begin with `request.py` for what is asked and `errors.py` for what is refused.
"""
