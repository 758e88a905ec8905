"""The command line: one file for each noun, one function for each verb.

It may import every room below, and nothing imports it. Begin with `main.py`, which lists the verbs.
"""
