"""Mail: queued in the caller's own transaction, written and sent afterwards, and the links in it.

It may import nothing of the other verbs. Begin with `queue_mail.py`; `send_mails.py` is the task that sends.
"""
