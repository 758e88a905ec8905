"""The one error document, in the representation the client asked for."""

import orjson

from app.aemp.address.negotiation import Representation
from app.aemp.model.text import clean
from app.aemp.write.render_xml import XML_DECLARATION, escape


def render_error(
    representation: Representation, status: int, code: str, message: str, *, reference: str
) -> tuple[str, bytes]:
    """Content type and body. JSON `{"status", "code", "message", "reference"}`; XML `<Error>` with the same four.

    reference: of the request, by which its refusal is found again.

    The standard has no error document. None of ours carries a namespace, so that no reader takes it for a fleet.
    """
    if representation.is_json:
        body = {"status": status, "code": code, "message": clean(message), "reference": clean(reference)}
        return Representation.JSON.value, orjson.dumps(body)
    text_xml = representation is Representation.TEXT_XML
    content_type = (Representation.TEXT_XML if text_xml else Representation.XML).value
    told = f"<Status>{status}</Status><Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    children = f"{told}<Reference>{escape(reference)}</Reference>"
    return content_type, f"{XML_DECLARATION}<Error>{children}</Error>\n".encode()
