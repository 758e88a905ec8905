"""A customer's decisions in the browser: to connect an application, or to end a connection.

It may import `token/`, which knows applications. Begin with `authorize.py`, then `decide.py`.
"""
