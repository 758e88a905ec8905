"""State of one process that is no store: work in the background, who failed lately, budgets, places for hashing.

It may import the errors of storage. Begin with `failures.py`.
"""
