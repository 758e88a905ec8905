"""Customers, their members, operators and applications, and how a person signs in.

It imports no other sub-room. Begin with `sign_in.py` or `register_application.py`.
"""
