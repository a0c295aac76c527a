"""A template and a count make a fleet, lazily."""

from __future__ import annotations

from itertools import count, islice

import pytest

from fleetrig.simulator.contract.identity import Credential, DeviceIdentity, TargetToken
from fleetrig.simulator.effects import Ask, Enter
from fleetrig.simulator.fleet import burn, fleet, numbered
from fleetrig.simulator.flows.hawkbit.device import HawkbitSettings

SETTINGS = HawkbitSettings("http://hawkbit.test")


def test_serials_from_a_template() -> None:
    assert [one.serial for one in numbered("HB-{n:04d}", 3, "T")] == ["HB-0001", "HB-0002", "HB-0003"]
    assert [one.serial for one in numbered("x{n}", 2, "T", first=99)] == ["x99", "x100"]
    assert next(numbered("only-one", 1, "T")) == DeviceIdentity("only-one", "T")
    assert list(numbered("none", 0, "T")) == []


def test_a_template_that_gives_everybody_the_same_name() -> None:
    with pytest.raises(ValueError, match="gives every device the same name"):
        numbered("HB", 2, "T")


def test_agents_are_made_when_they_are_asked_for() -> None:
    asked: list[str] = []

    def credential_of(identity: DeviceIdentity) -> Credential:
        asked.append(identity.serial)
        return TargetToken(f"token-of-{identity.serial}")

    agents = fleet((DeviceIdentity(f"d{n}") for n in count()), SETTINGS, credential_of)
    assert [agent.identity.serial for agent in islice(agents, 2)] == ["d0", "d1"]
    assert asked == ["d0", "d1"]


def test_each_device_holds_its_own_credential() -> None:
    for agent in fleet(numbered("d{n}", 3, "T"), SETTINGS, lambda identity: TargetToken(f"t-{identity.serial}")):
        effect = agent.power_on()
        assert isinstance(effect, Enter)
        effect = agent.resume(agent.settle(effect))
        assert isinstance(effect, Ask)
        assert effect.request.header("Authorization") == f"TargetToken t-{agent.identity.serial}"


def test_a_program_does_not_show_its_credential() -> None:
    assert "s3cret-token" not in repr(burn(SETTINGS, TargetToken("s3cret-token")))
