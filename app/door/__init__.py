"""The HTTP edge: how bytes become a request, what a client may hold, and how long it may take.

It knows uvicorn and nothing of OAuth or AEMP; `web/` answers what it lets in. Begin with `protocol.py`.
"""
