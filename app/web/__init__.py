"""Everything that is answered over HTTP, and the only room that knows FastAPI.

It may import the flows and every room below them. Begin with `paths.py`, the table of every address;
`routes.py` names the handler of each.
"""
