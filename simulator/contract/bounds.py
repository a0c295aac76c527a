"""How large a number, a text or a file may be that comes from outside: each bound once, with its unit and its reason.

Everything that sizes work has one, so that a mistyped number is a sentence and not a machine that stands still.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Bound:
    """`most` of a `unit`, and `why` no more; `text` says the first two as people write them."""

    most: int
    unit: str
    why: str
    text: str = ""

    def __str__(self) -> str:
        return f"at most {self.text or f'{self.most:,} {self.unit}'} ({self.why})"

    def check(self, size: float) -> None:
        """Raises ValueError, with the bound and its reason, for more than that."""
        if not size <= self.most:
            raise ValueError(f"expected {self}")


# Times and sizes

SPAN_S: Final = Bound(10_000 * 3_600, "s", "longer than any test", "10000h, which is 416 days")
SIZE_BYTES: Final = Bound(1 << 40, "bytes", "larger than any file of a test", "1024GiB")
IMAGE_BYTES: Final = Bound(1 << 30, "bytes", "an image is made for the run", "1GiB")
COUNT: Final = Bound(1_000_000_000, "", "nothing is counted so far", "1,000,000,000")

# The fleet and its runs

DEVICES: Final = Bound(100_000, "devices", "a fleet on one machine is no larger")
FLEET_DEVICES: Final = Bound(16_000_000, "devices", "the array engine numbers no more")
"""In virtual time without the protocol; where devices speak it, there are no more than `DEVICES`."""
COMBINATIONS: Final = Bound(10_000, "combinations", "each of them is a run")
FILLED_VALUES: Final = Bound(
    2_000_000, "values in all combinations of a matrix together", "a file is read once for each"
)
DEVICES_OF_A_MATRIX: Final = Bound(
    10_000_000, "devices in all combinations of a matrix together", "each of them is looked at"
)
COMPARISONS: Final = Bound(2_000_000, "comparisons of globs with devices", "more take minutes")
REPEATS: Final = Bound(10_000, "repetitions", "all runs are planned before the first begins")
RUNS: Final = Bound(100_000, "runs", "all runs are planned before the first begins")
PARALLEL_RUNS: Final = Bound(256, "runs at the same time", "each has a server and sockets of its own")
RETRY_TOKENS: Final = Bound(1_000, "tokens", "more never run out")
FAILURES_IN_A_ROW: Final = Bound(255, "failures in a row", "a fleet counts no further")
SEED: Final = Bound((1 << 63) - 1, "", "a seed has 63 bits", "9223372036854775807")

# Texts

SERIAL_CHARS: Final = Bound(256, "characters", "no platform takes a longer name of a device")
TEXT_CHARS: Final = Bound(10_000, "characters", "no name or value is longer")
RECORD_CHARS: Final = Bound(512, "characters", "no platform keeps a longer one in a record")
PATTERN_CHARS: Final = Bound(1_000, "characters", "no pattern is longer")

# Files

YAML_BYTES: Final = Bound(1 << 20, "bytes", "such files are written by people", "1 MiB")
YAML_LEVELS: Final = Bound(50, "levels", "no file needs more")
YAML_VALUES: Final = Bound(50_000, "values", "such files are written by people")
FILLED_CHARS: Final = Bound(1 << 20, "characters", "all that ${…} stands for in a file is read again")
UNIT_LIST_BYTES: Final = Bound(64 << 20, "bytes", "a list is held in memory", "64 MiB")
PEM_FILE_BYTES: Final = Bound(4 << 20, "bytes", "a bundle of all public authorities has 0.3 MiB", "4 MiB")
TRACE_LINE_CHARS: Final = Bound(64 << 20, "characters", "large bodies are cut in traces", "64 Mi characters")
TRACE_CONTEXT: Final = Bound(100_000, "events", "what came before an event is held until it is found")
UNIT_COLUMNS: Final = Bound(100, "columns", "each of them is an attribute of every unit")

# Faults

FAULT_LEVELS: Final = Bound(32, "levels", "no answer is nested deeper")
FAULT_VALUES: Final = Bound(1_000, "values", "all of them are put into every answer")
FAULT_BODY_CHARS: Final = Bound(100_000, "characters", "it is sent with every answer")
FAULT_TEXT_CHARS: Final = Bound(1_000, "characters", "no header and no path is longer")
FAULT_HEADERS: Final = Bound(100, "headers", "clients read no more")
BYTES_PER_S: Final = Bound(1_000_000_000, "bytes a second", "faster is not slow")
REQUESTS_PER_S: Final = Bound(1_000_000, "requests a second", "a request takes at least a microsecond")
LEAST_REQUESTS_PER_S: Final = 0.001
LEAST_BYTES_PER_S: Final = 0.001
