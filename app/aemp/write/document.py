"""A document about machines in its parts, so that only machines that changed are written again."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Document:
    """rows: of the machines, in order. between: stands between any two of them.

    headers: how many bytes of each row name the machine. The others are its figures. Empty where the rows are figures alone.
    """

    head: bytes
    rows: Sequence[bytes | memoryview]
    headers: Sequence[int]
    between: bytes
    tail: bytes

    @property
    def body(self) -> bytes:
        return b"".join((self.head, self.between.join(self.rows), self.tail))


def write_over(
    changed: Document, places: Sequence[int], body: bytes, lengths: Sequence[int], headers: Sequence[int]
) -> Document:
    """Write figures over those of an earlier body in the same form.

    changed: the new figures, with the head of the whole. places: where each of them belongs. lengths, headers: of the rows
    of the body.
    """
    rows: list[bytes | memoryview] = []
    view, between = memoryview(body), len(changed.between)
    start = len(body) - len(changed.tail) - sum(lengths) - between * (len(lengths) - 1)
    for length in lengths:
        rows.append(view[start : start + length])
        start += length + between
    for place, figures in zip(places, changed.rows, strict=True):
        rows[place] = b"".join((rows[place][: headers[place]], figures))
    return Document(changed.head, rows, headers, changed.between, changed.tail)
