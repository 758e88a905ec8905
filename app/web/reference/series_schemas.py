"""Schemas of the documents of series, drawn from the table of series that also writes them."""

from app.aemp.model.elements import ELEMENTS
from app.aemp.model.series import SERIES, Series
from app.aemp.write.render_xml import ISO_20190501_NAMESPACE, ISO_NAMESPACE
from app.web.reference.fleet_schemas import reading_schema
from app.web.reference.notation import Json, schema_ref

_MEANINGS = {
    "CumulativeNonproductiveIdleHours": "Hours of idling without work, since new.",
    "SwitchStatus": "Whether an input of the tracker was on.",
    "FaultCode": "A fault that the machine reported.",
    "CautionCode": "A caution that the machine reported.",
}
_SNAPSHOT_ELEMENTS = {element.name for element in ELEMENTS}


def _reading(series: Series) -> Json:
    """The schema of the same element in a snapshot, or its own."""
    name = series.element.name
    if name in _SNAPSHOT_ELEMENTS:
        return schema_ref(name)
    return reading_schema(series.element, _MEANINGS[name])


def _document(series: Series, namespace: str) -> Json:
    name = series.element.name
    return {
        "type": "object",
        "description": f"Readings of one machine by time: the series `{series.name}`.",
        "required": ["Links", name],
        "properties": {
            "Links": {"type": "array", "items": schema_ref("Link")},
            name: {"type": "array", "items": _reading(series)},
        },
        "xml": {"name": series.root, "namespace": namespace},
    }


_EDITIONS = {"": ISO_NAMESPACE, "20190501": ISO_20190501_NAMESPACE}

# A document is that of one series, which its root tells, or in JSON the name of its list.
SERIES_SCHEMAS: Json = {
    **{
        f"Series{edition}": {"oneOf": [schema_ref(each.root + edition) for each in SERIES]}
        for edition in _EDITIONS
    },
    **{
        series.root + edition: _document(series, namespace)
        for edition, namespace in _EDITIONS.items()
        for series in SERIES
    },
}
