"""The service's work by itself: partitions, retention, figures of the last day, signing keys.

It may import `fleet/`, `account/`, `manual/`, `mail/` and `token/`. Begin with `maintain.py`.
"""
