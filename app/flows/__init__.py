"""The verbs: one file for each thing that a caller can do.

They may import storage and the rules, and get everything else from the Context. Begin with `token/issue_token.py`.
"""
