"""A documented request as a line to copy: an address, or curl."""

from collections.abc import Sequence
from shlex import quote
from urllib.parse import quote as encode

from app.web.reference import examples
from app.web.reference.notation import Json


def address_of(issuer: str, path: str, parameters: Sequence[Json]) -> str:
    """The address with the examples of its parameters; one without an example is left out."""
    values = {each["name"]: each for each in parameters if "example" in each}
    for name, parameter in values.items():
        path = path.replace(f"{{{name}}}", encode(str(parameter["example"]), safe=":"))
    query = [
        f"{name}={encode(str(each['example']), safe='')}"
        for name, each in values.items()
        if each["in"] == "query"
    ]
    return issuer + path + ("?" + "&".join(query) if query else "")


def curl_of(
    address: str, operation: Json, form: Json | None = None, body: tuple[str, str] | None = None
) -> str:
    """One option a line, with the credentials of the examples, unless the form says itself who asks.

    body: its media type, and itself, where it is no form.
    """
    words = [f"curl {quote(address)}"]
    names = {name for alternative in operation["security"] for name in alternative}
    if "basic" in names and not {"client_id", "client_assertion"} & set(form or {}):
        words.append(f"--user {quote(f'{examples.CLIENT_ID}:{examples.CLIENT_SECRET}')}")
    if "bearer" in names:
        words.append(f"--header {quote(f'Authorization: Bearer {examples.TOKEN}')}")
        formats = operation["responses"]["200"]["content"]
        words.append(f"--header {quote(f'Accept: {next(iter(formats))}')}")
    if body is not None:
        words += [f"--header {quote(f'Content-Type: {body[0]}')}", f"--data-binary {quote(body[1])}"]
    words += [f"--data-urlencode {quote(f'{name}={value}')}" for name, value in (form or {}).items()]
    return " \\\n  ".join(words)
