"""State of one process that is no store: work in the background, values of a moment ago, places for hashing.

`blocklist.py` knows the passwords that a guesser tries first. `gate.py` says which stranger who signs in is looked up
next, and `lanes.py` whose password is hashed next.

It may import the errors of storage and the values of `oauth/`. Begin with `background.py`.
"""
