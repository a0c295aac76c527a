"""Who performs the runs of a study: processes on this machine, or a cluster (`dask_adapter`)."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from multiprocessing.connection import Connection
from typing import Final, Protocol, TypeVar

from fleetrig.simulator.contract.errors import BrokenBench

Order = TypeVar("Order")
Done = TypeVar("Done")

AHEAD: Final = 2
"""So many orders for each worker are handed out: none idles, and few are lost when a study is interrupted."""
PARENTS_ALONE: Final = frozenset({signal.SIGINT, signal.SIGHUP})
"""Signals that a terminal sends to all of its processes: only the parent hears them, and ends the others."""
WORKER_LOST: Final = (
    "a worker process has ended by itself, perhaps for want of memory: what is done is kept; "
    "--resume goes on with it, with fewer --jobs"
)


class Crew(Protocol):
    """Workers, as many as `size` at the same time."""

    @property
    def size(self) -> int: ...

    def each(self, perform: Callable[[Order], Done], orders: Sequence[Order]) -> Iterator[Done]:
        """What the function, one of a module, makes of each order, in order of completion. Raises what it raises,
        and BrokenBench when a worker is lost.
        """


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0))


@contextmanager
def local_crew(size: int) -> Iterator[Crew]:
    """Processes of this machine. At the end of the block all of them are gone, whatever they were at."""
    context = multiprocessing.get_context("spawn")
    parents_end, workers_end = context.Pipe(duplex=False)[::-1]
    pool = ProcessPoolExecutor(size, context, initializer=_begin_work, initargs=(workers_end,))
    try:
        yield _Processes(size, pool)
    finally:
        parents_end.close()
        pool.shutdown(wait=True, cancel_futures=True)
        workers_end.close()


class _Processes:
    """The crew of `local_crew`."""

    def __init__(self, size: int, pool: ProcessPoolExecutor) -> None:
        self.size, self._pool = size, pool

    def each(self, perform: Callable[[Order], Done], orders: Sequence[Order]) -> Iterator[Done]:
        left = iter(orders)
        under_way = {self._submit(perform, order) for order in islice(left, AHEAD * self.size)}
        while under_way:
            ended, under_way = wait(under_way, return_when=FIRST_COMPLETED)
            under_way |= {self._submit(perform, order) for order in islice(left, len(ended))}
            for future in ended:
                yield _result_of(future)

    def _submit(self, perform: Callable[[Order], Done], order: Order) -> Future[Done]:
        """A worker may be started here: it inherits which signals are blocked, from its first moment on."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, PARENTS_ALONE)
        try:
            return self._pool.submit(perform, order)
        except BrokenProcessPool:
            raise BrokenBench(WORKER_LOST) from None
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _result_of(future: Future[Done]) -> Done:
    try:
        return future.result()
    except BrokenProcessPool:
        raise BrokenBench(WORKER_LOST) from None


def _begin_work(parents: Connection) -> None:
    """In each worker: it ends with its parent, or as soon as that no longer wants it."""
    threading.Thread(target=_end_with, args=(parents,), daemon=True).start()


def _end_with(parents: Connection) -> None:
    try:
        parents.recv()
    except (EOFError, OSError):
        os._exit(0)
