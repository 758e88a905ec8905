"""Tokens: how they are issued, checked, told about and ended.

It may import `account/`, for the manual route. Begin with `issue_token.py`; `check_token.py` guards the API.
"""
