"""The only home of Dask: a cluster that is there already performs the runs of a study."""

from __future__ import annotations

import importlib
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, Final

from fleetrig.harness.report.version import VERSION
from fleetrig.harness.studies.crew import AHEAD, Crew, Done, Order
from fleetrig.simulator.contract.errors import BrokenBench, UsageError, system_said

CONNECT_S: Final = 10


@contextmanager
def dask_crew(address: str) -> Iterator[Crew]:
    """The workers of the scheduler at `address`. Raises UsageError, BrokenBench when it cannot be used."""
    try:
        dask: Any = importlib.import_module("distributed")  # an extra, without types
    except ImportError:
        raise UsageError("--cluster needs Dask: install fleetrig[cluster]") from None
    try:
        # Asked first without Dask, whose client holds the program up and prints a traceback when nobody is there.
        socket.create_connection(dask.comm.get_address_host_port(address), CONNECT_S).close()
        client = dask.Client(address, timeout=CONNECT_S, set_as_default=False)
    except ValueError:
        raise UsageError(f"--cluster {address!r} is no address: expected HOST:PORT or tcp://HOST:PORT") from None
    except OSError as wrong:  # a time-out too
        raise BrokenBench(f"--cluster {address}: no Dask scheduler answers there ({system_said(wrong)})") from None
    with client:
        yield _DaskWorkers(dask, client, _size(client, address))


def _size(client: Any, address: str) -> int:
    """How many runs the workers perform at once, all of them with our version. Raises BrokenBench."""
    threads: int = sum(client.nthreads().values())
    if not threads:
        raise BrokenBench(f"--cluster {address}: the scheduler has no workers yet; start some with `dask worker`")
    try:
        versions = set(client.run(installed_version).values())
    except ImportError:
        raise BrokenBench(f"--cluster {address}: its workers lack fleetrig: install {VERSION} there") from None
    if versions != {VERSION}:
        raise BrokenBench(
            f"--cluster {address}: its workers have fleetrig {', '.join(sorted(versions))}, and this is {VERSION}: "
            "install the same everywhere, or results would differ"
        )
    return threads


def installed_version() -> str:
    """Of fleetrig, where this is called."""
    return VERSION


class _DaskWorkers:
    """The crew of `dask_crew`."""

    def __init__(self, dask: Any, client: Any, size: int) -> None:
        self._dask, self._client, self.size = dask, client, size

    def each(self, perform: Callable[[Order], Done], orders: Sequence[Order]) -> Iterator[Done]:
        left = iter(orders)
        first = [self._submit(perform, order) for order in islice(left, AHEAD * self.size)]
        under_way = self._dask.as_completed(first, loop=self._client.loop)
        try:
            for future in under_way:
                for order in islice(left, 1):
                    under_way.add(self._submit(perform, order))
                yield future.result()
        except self._dask.KilledWorker as lost:
            raise BrokenBench(f"the cluster has lost the workers of a run again and again: {lost}") from None
        finally:
            under_way.clear()  # what nobody waits for is cancelled

    def _submit(self, perform: Callable[[Order], Done], order: Order) -> Any:
        return self._client.submit(perform, order, pure=False)
