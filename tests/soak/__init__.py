"""A service under load for a while: what remembers answers as what does not, and nothing that it holds grows.

Begin with `run.py`. `make check-soak` runs `__main__.py`; the suite has a few seconds of it in `test_soak.py`.
"""
