"""Tokens: how they are issued, checked, told about and ended.

It may import `mail/`, and no other room of the flows. Begin with `issue_token.py` and its table, `grants.py`;
`check_token.py` guards the API.
"""
