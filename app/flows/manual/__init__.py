"""The manual route: an owner of an application asks, an operator releases, the customer answers, the owner picks up.

It may import `account/`, `approval/` and `mail/`. Begin with `ask.py`, then follow a request through
`judge.py`, `answer.py` and `collect.py`; `expire.py` ends what nobody answered.
"""
