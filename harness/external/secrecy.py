"""The check `keeps_secrets`: does a program write its tokens into its output (hawkbit.md V34)?"""

from __future__ import annotations

from fleetrig.harness.run.context import Rig
from fleetrig.harness.scenario_file.check_words import KeepsSecrets
from fleetrig.harness.verdict import Finding
from fleetrig.simulator.drivers.director import AdminCall

EXPECTED = "no token stands in the output of a device's program"


def judge_secrets(rig: Rig, words: KeepsSecrets) -> AdminCall[Finding | None]:
    """The first line with a secret in it, masked. Devices of our own write nothing at all."""
    yield from ()
    for serial in rig.serials(words.only):
        for number, line in enumerate(rig.output_of(serial).splitlines(), 1):
            masked = rig.secrets.hide(line)
            if masked != line:
                return Finding(EXPECTED, f"{serial} wrote one in line {number}: {masked.strip()[:200]}")
    return None
