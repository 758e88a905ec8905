"""The bounds of one client: what it may send and hold, and how long it may take. RFC 9112 leaves them to the server."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bounds:
    """Sizes in bytes, times in seconds. Times are judged once every `sweep_s`, so they may last that much longer."""

    target: int = 8 * 1024
    field: int = 16 * 1024  # name and value of one header field
    head: int = 32 * 1024
    fields: int = 100
    pipelined: int = 8  # requests that wait behind the one being answered
    turned_away: int = 8  # one after the other, before a connection rests
    rest: int = 4  # sweeps; many clients wait five seconds for an answer and no longer
    overhead: int = 64 * 1024  # chunk sizes, extensions and trailers of one body
    overhead_ahead: int = 8 * 1024  # by which it may exceed the data; the smallest chunk takes time too
    unread: int = 1024 * 1024  # thrown away before a connection that ends is cut
    unsent: int = 32 * 1024  # of answers that the kernel holds beyond what their reader has room for

    first_byte_s: float = 10
    head_s: float = 10
    body_s: float = 10  # in any such time `body_step` bytes of a body arrive
    body_step: int = 1024
    answer_s: float = 2  # of ours to a program, from the whole request
    write_s: float = 30  # in any such time some of an answer leaves
    keep_alive_s: float = 5
    linger_s: float = 2  # after the last answer, so that it is read before the connection is cut
    leaving_idle_s: float = 1  # while the process ends
    leaving_s: float = 2
    sweep_s: float = 1

    connections: int = 10_000
    connections_per_address: int = 2_000


# A larger piece is parsed in slices: bounds are looked at between them, and a head within one can break none but `fields`.
SLICE = 8 * 1024
