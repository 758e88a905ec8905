"""Everything that is answered over HTTP, and the only room that knows FastAPI.

It may import the flows and every room below them. Begin with `table.py`, which says what holds for every address;
`paths.py` spells them, and `routes.py` names the handler of each.
"""
