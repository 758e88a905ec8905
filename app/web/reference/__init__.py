"""The description of the API, for people as `/docs` and for programs as `/openapi.json`.

It may import the handlers that it describes, in `api/`, `oauth/` and `pages/`, and none of them imports it. Begin with `document.py`.
"""
