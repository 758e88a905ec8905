"""The one way in which the private servers fail their callers."""

from app.refused import SetUpError


class EmbeddedError(SetUpError):
    """The private servers cannot be used; the text is one line: what failed, where its log is, what to do."""
