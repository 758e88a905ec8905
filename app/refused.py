"""A refusal by design: one value, raised where the rule is, and shown to programs, people and terminals.

Exception
 ├─ RefusedError      the caller may read why
 │   └─ ToldError     a person may, on a page in their language
 │       └─ SetUpError    why, only those who run the service may
 └─ anything else     is a bug: logged with its trace, and answered bare
"""

from app.sentence import Sentence

Headers = tuple[tuple[str, str], ...]


class RefusedError(Exception):
    """A refusal: `web/errors.py` answers it over HTTP, and `cli/` prints it as one line.

    what: what is wrong, in words for the caller. code: its name, for programs. status: of HTTP.
    title: heading of the page that tells it. A page shows `what` translated where it is a Sentence. detail: more, for the log and the terminal of those who run the service.
    """

    code: str = "refused"
    status: int = 400
    title: Sentence | None = None

    def __init__(
        self,
        what: str,
        *,
        code: str | None = None,
        status: int | None = None,
        title: Sentence | None = None,
        detail: str = "",
        headers: Headers = (),
    ) -> None:
        super().__init__(what)
        self.what = what
        self.code = self.code if code is None else code
        self.status = self.status if status is None else status
        self.title = self.title if title is None else title
        self.detail = detail
        self.headers = headers

    def __str__(self) -> str:
        return self.detail or self.what


class ToldError(RefusedError):
    """A refusal that a page tells a person, so its words are a Sentence."""

    what: Sentence

    def __init__(
        self,
        what: Sentence,
        *,
        code: str | None = None,
        status: int | None = None,
        title: Sentence | None = None,
        detail: str = "",
        headers: Headers = (),
    ) -> None:
        super().__init__(what, code=code, status=status, title=title, detail=detail, headers=headers)


class SetUpError(ToldError):
    """Settings, schema or private servers do not fit. Callers from outside learn only that the service is away."""

    code = "not_set_up"
    status = 503

    def __init__(self, detail: str, *, code: str | None = None) -> None:
        super().__init__(Sentence("The service is not set up."), code=code, detail=detail)
