"""The one way in which the private servers fail their callers."""


class EmbeddedError(Exception):
    """The private servers cannot be used; the text is one line: what failed, where its log is, what to do."""
