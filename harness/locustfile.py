"""The process of a load run. It is started by `fleetrig load`, with its order on standard input; nobody imports it.

Locust comes first: importing it patches the standard library, which must not have been used before.
"""

from __future__ import annotations

# isort: off
from locust import events as _locust_is_first  # noqa: F401

import sys

from fleetrig.harness.load.stage import main

if __name__ == "__main__":
    sys.exit(main())
