"""The outbox, the links that were mailed, and how much was mailed lately.

It may import `postgres/` and the counting of `people/`. Begin with `outbox.py`.
"""
