"""Mail as it leaves: the server's address, the words, the message, and the conversation with the server.

It knows no store: `flows/mail/` decides what is sent when. It may import `metrics`. Begin with `letters.py`.
"""
