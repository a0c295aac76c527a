"""The check `keeps_secrets`: does a program write its tokens into its output (hawkbit.md V34)?"""

from __future__ import annotations

from fleetrig.harness.run.context import RunContext
from fleetrig.harness.scenario_file.check_words import KeepsSecrets
from fleetrig.harness.verdict import Finding
from fleetrig.simulator.drivers.director import AdminCall

EXPECTED = "no token stands in the output of a device's program"


def query_secrets(context: RunContext, words: KeepsSecrets) -> AdminCall[Finding | None]:
    """The first line with a secret in it, masked. Simulated devices write nothing."""
    yield from ()
    for serial in context.serials(words.only):
        for number, line in enumerate(context.output_of(serial).splitlines(), 1):
            masked = context.secrets.hide_known(line)
            if masked != line:
                return Finding(EXPECTED, f"{serial} wrote one in line {number}: {masked.strip()[:200]}")
    return None
