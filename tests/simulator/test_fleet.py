"""A template and a count make a fleet, lazily."""

from __future__ import annotations

from itertools import islice

import pytest

from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.identity import DeviceIdentity, TargetToken
from fleetrig.simulator.effects import Ask, Enter
from fleetrig.simulator.fleet import numbered
from fleetrig.simulator.flows.hawkbit.device import HawkbitSettings
from fleetrig.simulator.flows.hawkbit.flow import HawkbitDevice

SETTINGS = HawkbitSettings("http://hawkbit.test")


def test_serials_from_a_template() -> None:
    assert [one.serial for one in numbered("HB-{n:04d}", 3, "T")] == ["HB-0001", "HB-0002", "HB-0003"]
    assert [one.serial for one in numbered("x{n}", 2, "T", first=99)] == ["x99", "x100"]
    assert next(numbered("only-one", 1, "T")) == DeviceIdentity("only-one", "T")
    assert list(numbered("none", 0, "T")) == []


def test_a_template_that_gives_everybody_the_same_name() -> None:
    with pytest.raises(ValueError, match="gives every device the same name"):
        numbered("HB", 2, "T")


def test_identities_are_made_when_they_are_asked_for() -> None:
    assert next(islice(numbered("d{n}", 10**12, "T"), 1, None)).serial == "d2"


def test_each_device_holds_its_own_credential() -> None:
    for identity in numbered("d{n}", 3, "T"):
        agent = Agent(identity, HawkbitDevice(SETTINGS, TargetToken(f"t-{identity.serial}")))
        effect = agent.power_on()
        assert isinstance(effect, Enter)
        effect = agent.resume(agent.settle(effect))
        assert isinstance(effect, Ask)
        assert isinstance(effect.request, HttpRequest)
        assert effect.request.header("Authorization") == f"TargetToken t-{agent.identity.serial}"


def test_a_device_does_not_show_its_credential() -> None:
    assert "s3cret-token" not in repr(HawkbitDevice(SETTINGS, TargetToken("s3cret-token")))
