"""The reference that every refusal's body names: that of the answer itself, and the only thing that is new each time."""

import httpx2
from lxml import etree


def without_reference(answer: httpx2.Response) -> bytes:
    """The body of a refusal, byte for byte but for its reference. Fails unless that is the answer's X-Request-Id."""
    reference = answer.headers["x-request-id"]
    assert reference_of(answer) == reference
    assert answer.text.count(reference) == 1
    return answer.content.replace(reference.encode(), b"")


def reference_of(answer: httpx2.Response) -> str | None:
    """The reference as a program reads it, from JSON or from an AEMP document in XML."""
    if answer.headers["content-type"] == "application/json":
        named = answer.json()["reference"]
        assert isinstance(named, str)
        return named
    return etree.fromstring(answer.content).findtext("Reference")
