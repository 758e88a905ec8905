"""Several processes behind one port, and the supervisor that starts, replaces and ends them."""

import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors.multiprocess import Multiprocess, Process

from app.door.server import GRACE_S, Config, Leaving, Server

_LOG = logging.getLogger("uvicorn.error")

_START_S = 30.0
_CLOSE_S = 8.0  # beyond the answers, for the stores to be left
_LOOK_S = 0.1


def serve(config: Config, listener: socket.socket, announce: Callable[[], None] = lambda: None) -> None:
    """Serve on a bound socket until a signal ends it. Raises SystemExit when the service does not come up.

    announce is called once signals are noted: a KeyboardInterrupt while the loop begins could be lost (R-102).
    """
    if config.workers > 1:
        supervisor = Supervisor(config, [listener])
        announce()
        supervisor.run()
        came_up = supervisor.came_up
    else:
        server = Server(config)
        # Somebody may have chosen to ignore it, as nohup does.
        if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
            signal.signal(signal.SIGHUP, server.handle_exit)
        with server.capture_signals():
            announce()
            server.run([listener])
        came_up = server.started
    if not came_up:
        sys.exit(STARTUP_FAILURE)


class Worker(Process):
    """A process that serves, as its supervisor holds it and as it is itself."""

    config: Config

    def __init__(self, config: Config, sockets: list[socket.socket]) -> None:
        super().__init__(config, sockets)
        self._starting_until = time.monotonic() + _START_S

    def is_alive(self, timeout: float = 5) -> bool:
        """Ask a worker that may still be starting for no sign of life. On a busy machine it has none to give."""
        if time.monotonic() < self._starting_until:
            return self.process.is_alive()
        return super().is_alive(timeout)

    def target(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve, in the worker."""
        # A terminal that goes away tells everybody; the supervisor then replaces the workers.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        # The socket came here by inheritance, and a program that this process runs must not hold it.
        for each in sockets or []:
            each.set_inheritable(False)
        self._serving = Server(self.config, leaving=None)
        threading.Thread(target=self.always_pong, name="words", daemon=True).start()
        threading.Thread(target=self._end_with_the_supervisor, name="supervisor", daemon=True).start()
        self._serving.run(sockets)

    def pong(self) -> None:
        """Take the supervisor's word on how to leave, or give a sign of life, in the worker."""
        word = self.child_conn.recv()
        if isinstance(word, Leaving):
            self._serving.leaving = self._serving.leaving or word
        else:
            self.child_conn.send(self._serving.started)

    def terminate(self, leaving: Leaving = Leaving.ONE) -> None:
        with suppress(OSError):  # it has ended already
            self.parent_conn.send(leaving)
        super().terminate()

    def _end_with_the_supervisor(self) -> None:
        """Workers whose supervisor was killed would go on holding the port against its successor (R-103)."""
        supervisor = multiprocessing.parent_process()
        if supervisor is not None:
            supervisor.join()
            self._serving.leaving = self._serving.leaving or Leaving.ORPHANED
            os.kill(os.getpid(), signal.SIGTERM)


class Supervisor(Multiprocess):
    """uvicorn's supervisor with our workers. It holds no listening socket while they serve what is left."""

    config: Config
    processes: list[Worker]  # type: ignore[assignment]  # uvicorn's own, which are all that it starts

    def __init__(self, config: Config, sockets: list[socket.socket]) -> None:
        super().__init__(config, sockets)
        self.came_up = True
        self._ending = False
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, self._note_end)

    def init_processes(self) -> None:
        self.processes = [self._start() for _ in range(self.processes_num)]

    def terminate_all(self) -> None:
        """Close the socket first: a queue that only this process holds is answered by nobody."""
        for each in self.sockets:
            each.close()
        for worker in self.processes:
            worker.terminate(Leaving.ALL)

    def join_all(self) -> None:
        """Kill whoever does not end in time: nobody waits for an answer of theirs any more."""
        ends_at = time.monotonic() + self.config.shutdown_delay_s + GRACE_S + _CLOSE_S
        for worker in self.processes:
            worker.process.join(max(0.0, ends_at - time.monotonic()))
            if worker.process.is_alive():
                _LOG.error("Child process [%s] did not end in time and is killed", worker.pid)
                worker.kill()
                worker.join()

    def keep_subprocess_alive(self) -> None:
        """Replace the workers that died or hang. One that cannot even start ends the service."""
        for at, worker in enumerate(self.processes):
            if self._is_well(worker):
                continue
            worker.kill()
            worker.join()
            if worker.exitcode == STARTUP_FAILURE:
                _LOG.error("Child process [%s] failed to start, stopping the parent process.", worker.pid)
                self.came_up = False
                self.should_exit.set()
                return
            _LOG.info("Child process [%s] died", worker.pid)
            self.processes[at] = self._start()

    def restart_all(self) -> None:
        """Replace the workers one by one, each only once its successor serves; being told to end comes first."""
        for old in tuple(self.processes):
            successor = self._start()
            self.processes.append(successor)
            is_ready = self._gets_ready(successor)
            if self._ending:
                return
            if not is_ready:
                _LOG.error("Worker [%s] did not get ready; [%s] goes on", successor.pid, old.pid)
                successor.kill()
                successor.join()
                self.processes.remove(successor)
                return
            old.terminate()
            while old.process.is_alive() and not self._ending:
                old.process.join(_LOOK_S)
            if not self._ending:
                self.processes.remove(old)

    def handle_ttin(self) -> None:
        self.processes_num += 1
        self.processes.append(self._start())

    def _start(self) -> Worker:
        worker = Worker(self.config, self.sockets)
        worker.start()
        return worker

    def _is_well(self, worker: Worker) -> bool:
        """Being told to end, the supervisor replaces nobody."""
        ending = self._ending or self.should_exit.is_set()
        return ending or worker.is_alive(timeout=self.config.timeout_worker_healthcheck) or self._ending

    def _gets_ready(self, worker: Worker) -> bool:
        ends_at = time.monotonic() + _START_S
        while not self._ending and worker.process.is_alive() and time.monotonic() < ends_at:
            if worker.is_ready(timeout=1):
                return True
            time.sleep(_LOOK_S)
        return False

    def _note_end(self, sig: int, _frame: FrameType | None) -> None:
        """Note it at once, since a rolling restart takes its time; the loop takes the signal up later."""
        self._ending = True
        self.signal_queue.append(sig)
