"""A connection's life: who may open one, what leaves on it, and how it ends.

An error is answered after the requests before it, and a connection that ends lingers until its last answer is read.
"""

import asyncio
from enum import Enum, auto
from functools import partial
from typing import Any, cast

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.door import framing
from app.door.addresses import TrustedProxies, network_of
from app.door.answers import TURNED_AWAY, Cycle, JoinedTransport
from app.door.draining import is_readable
from app.door.framing import Refusal
from app.door.patience import Patience, Phase
from app.door.refusals import note_refusal
from app.door.watch import State
from app.first_step import begin


class Part(Enum):
    """The part of a message that the next byte belongs to."""

    NONE = auto()  # between two messages
    HEAD = auto()
    BODY = auto()


class StoppedError(Exception):
    """Raised in a callback, it makes the parser stop in the middle of its buffer."""


class Connection(HttpToolsProtocol):
    """One connection. `deaf`: nothing that still arrives is parsed. `lingering`: all is said, the client is to close.

    `resting`: sweeps before anything of it is read or answered again, since it was turned away too often.
    """

    cycle: Cycle
    server_state: State

    def __init__(
        self, config: Config, server_state: State, app_state: dict[str, Any], _loop: Any = None
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.bounds = server_state.bounds
        self.network = ""
        self.deaf = self.lingering = False
        self.resting = self._turned_away = 0
        self._has_rested = False
        self._patience = Patience(self.bounds)
        self._part = Part.NONE
        self._running: Cycle | None = None
        self._last_word: bytes | None = None
        self._trusted: TrustedProxies | None = None  # when the other end is one of them
        self._leaving = server_state.leaving
        self._ended = False
        self._body_size = self._unread_size = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's own signature
        joined = JoinedTransport(transport, self.server_state.turn.soon, may_close=self._may_close)
        super().connection_made(cast("asyncio.Transport", joined))
        if self.client and self.server_state.trusted.holds(self.client[0]):
            self._trusted = self.server_state.trusted
        elif self.client:
            self.network = network_of(self.client[0])
            if self.server_state.watch.is_resting(self.network):
                self._turned_away = self.bounds.turned_away - 1
        refusal = self.server_state.watch.enter(self)
        if refusal is not None:
            self.refuse(refusal)

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended = True
        self._wake()
        self.server_state.watch.leave(self)
        self.pipeline.clear()
        if self._running is not None and not self._running.response_complete:
            self._running.disconnected = True
            self._running.message_event.set()
        super().connection_lost(exc)
        self._let_all_go()

    def _let_all_go(self) -> None:
        """Nothing may hold itself in a circle: the garbage of a thousand blocked the loop for 100 ms (R-110)."""
        cast("JoinedTransport", self.transport).close_freely()
        self._patience = Patience(self.bounds)
        self._running = None
        self.cycle = None  # type: ignore[assignment]  # an answer that is still made lives by its task

    def eof_received(self) -> bool | None:  # type: ignore[override]  # uvicorn's says None
        """A client that has said all may still want to read: what it asked for is answered."""
        self._ended = True
        if self._part is not Part.NONE and not self.deaf:
            self.refuse(framing.CUT_SHORT)
        elif self._is_answering():
            self.deaf = True
            self.cycle.keep_alive = False
        else:
            self.transport.close()  # an answer of this moment may still be kept back
            return None
        return True

    def shutdown(self) -> None:
        """Leave, since the process ends: answer what was asked, and what is asked in the next moment."""
        self._leaving = True
        self._patience.begin_anew()
        if self._is_answering():
            self.cycle.keep_alive = False
            self.deaf = self.deaf or self._part is Part.NONE
        self._end_rest()

    def sweep(self) -> None:
        """Look once a second whether the client has taken too long, and end the connection then; or whether we have."""
        if self.resting == 1:
            self._end_rest()
        elif self.resting:
            self.resting -= 1
        phase = self._phase()
        moved = self._body_size if phase is Phase.BODY else 0
        if phase is Phase.WRITE:
            moved = -self.transport.get_write_buffer_size()
        request = self._running if phase is Phase.ANSWER else self.cycle
        if not self._patience.is_over(phase, request, moved, leaving=self._leaving):
            return
        if phase is Phase.ANSWER:
            if self._running is not None:
                self._running.hurry()
        elif phase in (Phase.FIRST, Phase.IDLE):
            self._close_unless_asked()
        elif phase in (Phase.HEAD, Phase.BODY) and not self.deaf:
            self.refuse(framing.TOO_LATE)
        else:
            self.transport.abort()

    def _close_unless_asked(self) -> None:
        """A request may be here already that a busy loop has not read yet; to close now would reset it."""
        if self.transport.is_closing():  # its socket may be gone
            return
        if not is_readable(self.transport.get_extra_info("socket").fileno()):
            self.transport.close()

    def _phase(self) -> Phase:
        if self.transport.get_write_buffer_size():
            return Phase.WRITE
        if self.lingering:
            return Phase.LINGER
        if self.deaf or self.flow.read_paused:
            return Phase.ANSWER
        if self._part is Part.NONE:
            if self._running is None:
                return Phase.FIRST
            return Phase.ANSWER if self._is_answering() else Phase.IDLE
        return Phase.HEAD if self._part is Part.HEAD else Phase.BODY

    def _is_answering(self) -> bool:
        return bool(self.pipeline) or not self._is_complete()

    def _is_complete(self) -> bool:
        return self._running is None or self._running.response_complete

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self._part is Part.BODY and self.cycle.response_complete:
            self.cycle.body = bytearray()  # nobody asks for it, and its rest may take a while
        if self.lingering or self.transport.is_closing():
            return
        if self._is_turned_away_again():
            self._rest()
        else:
            self._go_on()

    def _is_turned_away_again(self) -> bool:
        """Whether that was once too often. The connection of a trusted proxy is that of many clients."""
        scope: Any = self._running.scope if self._running else {}
        if TURNED_AWAY not in scope:
            self._turned_away = 0
            return False
        self._turned_away += scope[TURNED_AWAY]  # a refusal for another reason neither counts nor ends it
        if self._trusted is not None or self.deaf or self._leaving:
            return False
        return self._turned_away >= self.bounds.turned_away

    def _rest(self) -> None:
        self.resting = self.bounds.rest
        self.server_state.watch.rest(self, for_the_first_time=not self._has_rested)
        self._has_rested = True
        self.flow.pause_reading()

    def _end_rest(self) -> None:
        if self.resting and not self.transport.is_closing():
            self._wake()
            self._go_on()

    def _wake(self) -> None:
        if self.resting:
            self.resting = 0
            self.server_state.watch.wake(self)

    def _go_on(self) -> None:
        """Begin what waits behind the last answer, or read on."""
        if self.pipeline:
            self._begin_next()
        elif self._last_word is not None:
            self._say(self._last_word)
        elif self.deaf:
            self.transport.close()
        elif self.flow.read_paused:
            self.flow.resume_reading()

    def _answer_soon(self, cycle: Cycle) -> None:
        self.server_state.turn.soon(partial(self._answer, cycle))

    def _answer(self, cycle: Cycle) -> None:
        """Begin: the whole request is mostly here by now, and all that its answer takes is remembered."""
        task = begin(cycle.run_asgi(self.app), self.loop)
        if task is not None:
            cycle.task = task
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    def _begin_next(self) -> None:
        """Make an answer only when there is room to send it: whoever reads nothing is worth no work."""
        if not self.flow.write_paused:
            self._running, _ = cast("tuple[Cycle, Any]", self.pipeline.pop())
            self._answer_soon(self._running)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self.pipeline and self._is_complete() and not self.resting:
            self._begin_next()

    def refuse(self, refusal: Refusal) -> None:
        """Send a refusal when the requests before are answered, and close; nothing more is read."""
        self.deaf = True
        note_refusal(self.client, refusal)
        word = framing.spell(refusal, self.server_state.default_headers)
        if self._part is Part.BODY and not self._give_up():
            return
        if self._is_answering():
            self._last_word = word
        else:
            self._say(word)

    def _give_up(self) -> bool:
        """Leave the request whose body never gets whole; false when it has its answer already, or some of it."""
        cycle = self.cycle
        if self.pipeline and self.pipeline[0][0] is cycle:
            self.pipeline.popleft()
        elif cycle.response_started:
            cycle.keep_alive = False
            if cycle.response_complete:
                self.transport.close()
            return False
        else:
            cycle.disconnected = cycle.response_complete = True
            cycle.message_event.set()
        return True

    def _stop(self, refusal: Refusal) -> None:
        self.refuse(refusal)
        raise StoppedError

    def _say(self, word: bytes) -> None:
        self.transport.write(word)
        self.transport.close()

    def _may_close(self) -> bool:
        """Whether it is safe to close at once: bytes that nobody read would reset the connection, and its last answer."""
        unread = self._part is not Part.NONE or self._unread_size > 0 or self.flow.read_paused
        if self._ended or self.lingering or not unread or not self.transport.can_write_eof():
            return True
        self.deaf = self.lingering = True
        self._unread_size = 0
        self.transport.write_eof()
        self.flow.resume_reading()
        return False
