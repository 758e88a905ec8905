"""The endpoints of OAuth that programs call: token, introspection, revocation, metadata and keys.

They read bytes, call one flow and write bytes. They may import the loose files of `web/`, and the guard in `api/`. Begin with `token.py`.
"""
