"""The languages that pages and mails come in, and their words.

It imports `weighted.py` and nothing else of ours, and is the only room that knows Babel, Jinja and time zones. Begin with
`languages.py`; what is translated are the sentences of `app/sentence.py` and the marked words of templates, and their
translations stand in `es.po`.
"""
