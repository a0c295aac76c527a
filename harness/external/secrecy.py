"""The check `keeps_secrets`: does a program write its tokens into its output (hawkbit.md V34)?"""

from __future__ import annotations

from fleetrig.harness.checks.fold import format_amount
from fleetrig.harness.run.context import RunContext
from fleetrig.harness.scenario_file.check_words import KeepsSecrets
from fleetrig.harness.verdict import Finding, Measured
from fleetrig.simulator.drivers.director import AdminCall

EXPECTED = "no token stands in the output of a device's program"


def query_secrets(context: RunContext, words: KeepsSecrets) -> AdminCall[Finding | Measured]:
    """The first line with a secret in it, masked. Simulated devices write nothing; a program may, once it was on."""
    yield from ()
    if not context.switched_on.intersection(context.serials(words.only)):
        return Finding(EXPECTED, "none of their programs was ever on, so none could write one")
    lines = 0
    for serial in context.serials(words.only):
        for number, line in enumerate(context.output_of(serial).splitlines(), 1):
            lines += 1
            masked = context.secrets.hide_known(line)
            if masked != line:
                return Finding(EXPECTED, f"{serial} wrote one in line {number}: {masked.strip()[:200]}")
    return Measured(f"{format_amount(lines, 'line')} read, no token in them")
