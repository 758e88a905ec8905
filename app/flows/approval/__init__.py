"""A customer's decisions, in the browser or told to an operator: to connect an application, or to cut it off.

It may import `token/`, which knows applications, `account/`, `fleet/` and `mail/`. Begin with `authorize.py`, then `decide.py`.
"""
