"""What is wrong with an application's form, beside the field that it is about."""

from starlette.requests import Request

from app.flows.account.prove import FieldError
from app.flows.account.read_logo import LogoError
from app.oauth.redirect_uri import RedirectUriError
from app.refused import RefusedError
from app.sentence import Sentence, quoted
from app.web.pages.account_form import Fault
from app.web.pages.login import note_refusal

_UNPROCESSABLE, _CONFLICT = 422, 409
_NAME = Sentence("A name has 1 to 120 characters, and none that cannot be seen.")
_LINK = Sentence("Write the whole address, with https.")
# What the rules say in English, for everybody else.
_SAID = {
    "name": _NAME,
    "company": _NAME,
    "addresses": Sentence(
        "One of the addresses cannot be registered. Write each in full, with https, and nothing that differs by request."
    ),
    "logo": Sentence("The picture cannot be used. Choose a PNG, JPEG or WebP picture of at most 1 MiB."),
    "terms_uri": _LINK,
    "privacy_uri": _LINK,
}
_FIELDS = {"redirect URIs": "addresses"}
_REFUSED = Sentence("This cannot be registered.")


def fault_at(request: Request, form: str, refused: RefusedError) -> Fault:
    """422 at its field; a conflict with somebody else stays one."""
    note_refusal(request, refused.code, str(refused))
    if isinstance(refused, FieldError):
        return Fault(form, refused.field, refused.what, refused.status)
    if isinstance(refused, RedirectUriError):
        field = "addresses"
    elif isinstance(refused, LogoError):
        field = "logo"
    else:
        begins = refused.what.partition(":")[0]
        field = _FIELDS.get(begins, begins)
    said = (
        refused.what
        if isinstance(refused.what, Sentence)
        else quoted(refused.what, _SAID.get(field, _REFUSED))
    )
    status = _CONFLICT if refused.status == _CONFLICT else _UNPROCESSABLE
    return Fault(form, field if field in _SAID else "", said, status)


def lines_of(text: str) -> tuple[str, ...]:
    """What stands on each line, without empty ones."""
    return tuple(filter(None, (line.strip() for line in text.splitlines())))
