from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from fleetrig.reference_server.mqtt_limits import MqttLimits
from tests.reference_server.fronts.mqtt.mqtt_bench import MqttBench, Scripted, mqtt_served


@pytest.fixture
def serve() -> Iterator[Callable[..., MqttBench]]:
    """Serves a scripted platform: `answer`, `opening`, and limits by their names."""
    with ExitStack() as stack:

        def start(
            answer: Any = lambda session, envelope: None, opening: Any = lambda session: (), **limits: Any
        ) -> MqttBench:
            return stack.enter_context(mqtt_served(Scripted(answer, MqttLimits(**limits), opening)))

        yield start
