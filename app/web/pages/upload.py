"""A form of ours with a file in it, read within bounds (RFC 7578)."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from app.flows.account.read_logo import LARGEST_LOGO
from app.oauth.bounds import MOST_FIELDS
from app.oauth.errors import PageError
from app.sentence import Sentence
from app.web.pages.browser import LARGEST_FORM, read_form, refuse_other_sites
from app.web.request import read_body

_MULTIPART = "multipart/form-data"


@dataclass(frozen=True, slots=True)
class Upload:
    """The fields of a form, and the bytes of the files that were chosen."""

    fields: Mapping[str, str]
    files: Mapping[str, bytes]


async def read_upload(request: Request) -> Upload:
    """A form with one file at most; one without any may also come as a plain form.

    Raises PageError when another site posts it, when it is too large, or when it cannot be read one way only.
    """
    if not request.headers.get("content-type", "").lower().startswith(_MULTIPART):
        return Upload(await read_form(request), {})
    refuse_other_sites(request)
    # The picture itself is judged where its field is, so a little more than is accepted gets that far.
    body = await read_body(request.receive, most=LARGEST_LOGO + 2 * LARGEST_FORM)
    parser = MultiPartParser(
        request.headers, _once(body), max_files=1, max_fields=MOST_FIELDS, max_part_size=LARGEST_FORM
    )
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError) as unreadable:  # KeyError: the type names no boundary
        raise _unreadable(str(unreadable)) from unreadable
    try:
        return await _read_once_each(form)
    finally:
        await form.close()


async def _read_once_each(form: FormData) -> Upload:
    fields: dict[str, str] = {}
    files: dict[str, bytes] = {}
    for name, value in form.multi_items():
        if name in fields or name in files:
            raise _unreadable(f"{name} is there twice")
        if not isinstance(value, UploadFile):
            fields[name] = value
        elif value.filename:  # a browser sends an empty part for a file that was not chosen
            files[name] = await value.read()
    return Upload(fields, files)


async def _once(body: bytes) -> AsyncGenerator[bytes, None]:
    yield body


def _unreadable(detail: str) -> PageError:
    return PageError(
        Sentence("This form cannot be read"),
        Sentence("It did not arrive as a browser sends it. Nothing was changed. Please try again."),
        detail=detail,
    )
