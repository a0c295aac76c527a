"""A reference server in a process of its own, started so that a conformance suite has everything that rows need."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from fleetrig.harness.servers.serve_process import Ready, ServeProcess


@contextlib.contextmanager
def own_server(options: Sequence[str], accounts: Sequence[Mapping[str, object]] = ()) -> Iterator[Ready]:
    """Starts `fleetrig serve` with these options and yields what its ready file says; ends it again.

    `accounts` are the entries of its accounts file. Raises BrokenBench.
    """
    with tempfile.TemporaryDirectory(prefix="fleetrig-") as name:
        folder = Path(name)
        if accounts:
            listed = folder / "accounts.yaml"
            listed.write_text(json.dumps(list(accounts)), encoding="utf-8")  # JSON is YAML
            options = [*options, "--accounts", str(listed)]
        with ServeProcess(folder, *options) as served:
            yield served.ready
