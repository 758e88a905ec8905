"""A server of the standard library that answers from a thread, while the test itself asks it or waits for a program."""

from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import BaseServer
from threading import Thread


@contextmanager
def answering(server: BaseServer) -> Iterator[None]:
    """Answer until the block is over, and end within the 10 ms after which the server looks whether it is told to."""
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
