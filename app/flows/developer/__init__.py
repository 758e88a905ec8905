"""The owners of applications: how they sign up, what they register, and the test customers they try it with.

It may import `account/`, `fleet/`, `mail/` and the table of grants in `token/`. Begin with `sign_up.py` or `own_applications.py`.
"""
