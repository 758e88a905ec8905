"""What a customer decides, in the browser or told to an operator: to connect an application, or to end a connection.

It may import `token/`, which knows applications, and `account/`. Begin with `authorize.py`, then `decide.py`.
"""
