"""Moving in: customers, applications and tokens of a former system, out of files of one JSON object a line.

It may import `account/` and `token/`. Begin with `move_in.py`; the three other verbs say what a line holds.
"""
