"""XML documents as plain nested values: AEMP 1.2 and ISO 15143-3 in any namespace."""

from collections.abc import Iterator
from typing import Any

from lxml import etree

from app.aemp.model.errors import FlawError

_TIME = "datetime"


def machines_of_xml(root: etree._Element) -> Iterator[tuple[Any, Any]]:
    """Each machine as (its line, `{element: {child: text}}`); names without namespace, in lower case.

    Raises FlawError when the root is neither Fleet nor Equipment.
    """
    name = local_name(root)
    if name not in ("fleet", "equipment"):
        raise FlawError(f"line {root.sourceline}: the root is {name!r}, neither Fleet nor Equipment")
    for machine in [root] if name == "equipment" else _named(root, "equipment"):
        yield machine.sourceline, nested(machine)


def parse_xml(data: bytes) -> etree._Element:
    """Parse XML (R-70): no entity is replaced, nothing is fetched, and any document type is refused.

    Without `huge_tree` libxml2 bounds the nesting (256) and how far a declared entity can swell before that.
    Raises FlawError when it is not well-formed, or declares a document type.
    """
    parser = etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        reason = error.msg.partition(", line ")[0]
        raise FlawError(f"line {error.lineno}: not well-formed XML: {reason}") from None
    if _declares_type(root.getroottree()):
        raise FlawError("line 1: a document type declaration is refused")
    return root


def _declares_type(tree: Any) -> bool:  # Any: lxml's stubs do not know `doctype`
    return bool(tree.docinfo.doctype)


def nested(element: etree._Element) -> Any:
    """An element with children or a time as a mapping, any other as its text.

    The time stands in an attribute; one provider sends it as a child, so both land under the same key.
    """
    times = [str(value) for name, value in element.attrib.items() if str(name).lower() == _TIME]
    if not len(element) and not times:
        return element.text
    parts: dict[str, Any] = {_TIME: times[0]} if times else {}
    for child in element:
        _put(parts, local_name(child), nested(child))
    return parts


def _put(parts: dict[str, Any], name: str, value: Any) -> None:
    """Make a list of a repeated child: whether that matters, only a caller that knows the element can tell."""
    if name not in parts:
        parts[name] = value
    elif isinstance(parts[name], list):
        parts[name].append(value)
    else:
        parts[name] = [parts[name], value]


def _named(root: etree._Element, name: str) -> Iterator[etree._Element]:
    return (child for child in root if local_name(child) == name)


def local_name(element: etree._Element) -> str:
    return etree.QName(element).localname.lower()
