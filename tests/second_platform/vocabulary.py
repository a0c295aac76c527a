"""The echo platform's words in scenario files."""

from __future__ import annotations

from fleetrig.harness.scenario_file.action_words import ActionWord, DeviceSelector, describe_devices
from fleetrig.harness.scenario_file.values import Count, Flag, Text
from fleetrig.harness.scenario_file.vocabulary import Vocabulary


class Announce(DeviceSelector, ActionWord):
    """Says something about devices."""

    makes_known = True
    text: Text

    def describe(self) -> str:
        return f"announce {self.text!r} of {describe_devices(self.only)}"


VOCABULARY = Vocabulary(
    transports=("mqtt",),
    credentials=("password",),
    attribute_modes=("none",),
    states=("unknown", "known"),
    accepted_states=("known",),
    record_fields={"published": Count},
    id_name="client",
    words={"announce": Announce},
    settings={"echo.enabled": Flag},
    exchanges=("connect", "subscribe", "publish", "remind", "echo", "push", "ping", "idle", "goodbye"),
    can=frozenset({"echo"}),
    reference_can=frozenset(),
    operator_knows=frozenset(),
    profiles=("1",),
    tenant="T",
)
