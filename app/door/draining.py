"""Sockets of a process that stops: clients that still wait are served, and nobody new joins the queue."""

import ctypes
import select
import socket
import struct

# The server says so in the state that ASGI hands to the application with every request: the process is about to leave.
DRAINING = "draining"

_SO_ATTACH_FILTER = 26  # Linux; the socket module has no name for it
# A classic BPF program over a TCP segment: drop what has the SYN flag, keep everything else.
_KEEP_NEWCOMERS_OUT = (
    (0x30, 0, 0, 13),  # load the byte of flags
    (0x45, 0, 1, 0x02),  # is it a SYN?
    (0x06, 0, 0, 0),  # drop it
    (0x06, 0, 0, 0xFFFF_FFFF),  # keep all of it
)


def keep_newcomers_out(listener: socket.socket) -> None:
    """Let no further client into a listening socket's queue, for all processes that share the socket.

    To close the socket resets those in the queue, and somebody may join it after the last look. With this the kernel
    drops the first segment of a new client. The client sends it again a second later, and is then
    refused, or meets a successor. Handshakes that had begun go on. Raises OSError where the kernel knows no filters.
    """
    program = b"".join(struct.pack("HBBI", *step) for step in _KEEP_NEWCOMERS_OUT)
    steps = ctypes.create_string_buffer(program, len(program))
    pointer = struct.pack("HP", len(_KEEP_NEWCOMERS_OUT), ctypes.addressof(steps))
    listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, pointer)


def is_listening(listener: socket.socket) -> bool:
    return listener.fileno() >= 0 and bool(listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))


def is_readable(handle: int) -> bool:
    """Whether the kernel holds something for the loop: a client in the queue, bytes, or the end of a connection."""
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    return bool(poll.poll(0))
