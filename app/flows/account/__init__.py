"""Customers, their members, operators and applications, and how a person signs in.

It may import `mail/` and the table of grants in `token/`. Begin with `sign_in.py` or `register_application.py`.
"""
