"""The child of `test_crash`: writes to a store and acknowledges each commit on stdout, until it is killed.

    python -m tests.reference_server.stores.crash_writer URL FIRST

From number FIRST on, each transaction writes a job, the device's newest job, an id and, now and then, an artifact.
One line `number id artifact-name` follows its commit."""

from __future__ import annotations

import itertools
import sys

from fleetrig.reference_server.stores.interface import Blobs, Store
from fleetrig.reference_server.stores.opening import open_store
from tests.reference_server.stores.records import DEVICE, JOB, Device, Job

ARTIFACT_EVERY = 7
BLOCK_BYTES = 5_000
BLOCKS = 20
ARTIFACT_BYTES = BLOCK_BYTES * BLOCKS


def write_on(store: Store, blobs: Blobs, first: int) -> None:
    for number in itertools.count(first):
        name = "-"
        with store.transaction():
            given = store.next_id("job")
            store.put(JOB, "T", Job(number, f"d{number % 5}"))
            if number % ARTIFACT_EVERY == 0:
                name = blobs.keep([bytes(BLOCK_BYTES)] * BLOCKS, at_most_bytes=ARTIFACT_BYTES).name
            store.put(DEVICE, "T", Device(f"d{number % 5}", name, number, (str(given),)))
        sys.stdout.write(f"{number} {given} {name}\n")
        sys.stdout.flush()
        store.put(DEVICE, "T", Device(f"d{number % 5}", name, -number, (str(given),)), lazily=True)


if __name__ == "__main__":
    write_on(*open_store(sys.argv[1]), int(sys.argv[2]))
