"""Everything that is answered over HTTP, and the only room that knows FastAPI.

It may import the flows and every room below them. Begin with `routes.py`, which has every address on one screen.
"""
