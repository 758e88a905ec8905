"""The decoder of logos, a program of its own, so that a hostile picture ends nothing but it.

It imports nothing of ours. `flows/account/read_logo.py` starts it.
"""
