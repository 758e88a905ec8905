"""XML documents as plain nested values: AEMP 1.2 and ISO 15143-3 in any namespace."""

from collections.abc import Iterator
from typing import Any

from lxml import etree

from app.aemp.model.errors import FlawError

# Attributes that a value would be misread without; nothing is lost with any other.
_UNITS = ("unit", "units", "uom")
_TEXT = "#text"


def machines_of_xml(root: etree._Element) -> Iterator[tuple[Any, Any]]:
    """Each machine as (its line, `{element: {child: text}}`); names without namespace, in lower case.

    Raises FlawError when the root is neither Fleet nor Equipment.
    """
    name = local_name(root)
    if name not in ("fleet", "equipment"):
        raise FlawError(f"line {root.sourceline}: the root is {name!r}, neither Fleet nor Equipment")
    for machine in [root] if name == "equipment" else root.iterchildren():
        if local_name(machine) == "equipment":
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
    tree: Any = root.getroottree()  # Any: lxml's stubs do not know `doctype`
    if tree.docinfo.doctype:
        raise FlawError("line 1: a document type declaration is refused")
    return root


def nested(element: etree._Element) -> Any:
    """An element with children, a time or a unit as a mapping, any other as its text.

    The time stands in an attribute; one provider sends it as a child, so both land under the same key.
    """
    parts: dict[str, Any] = {}
    for attribute, value in element.attrib.items():
        name = etree.QName(attribute).localname.lower()
        if name == "datetime" or name.endswith(_UNITS):
            _put(parts, name, str(value))
    if not len(element) and not parts:
        return element.text
    for child in element:
        _put(parts, local_name(child), nested(child))
    text = "".join((element.text or "", *(child.tail or "" for child in element))).strip()
    return parts | {_TEXT: text} if text else parts


def _put(parts: dict[str, Any], name: str, value: Any) -> None:
    """Make a list of a repeated child: whether that matters, only a caller that knows the element can tell."""
    if name not in parts:
        parts[name] = value
    elif isinstance(parts[name], list):
        parts[name].append(value)
    else:
        parts[name] = [parts[name], value]


def local_name(element: etree._Element) -> str:
    return etree.QName(element).localname.lower()
