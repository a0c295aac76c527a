"""A template and a count make a fleet, lazily."""

from __future__ import annotations

import re
from itertools import islice

import pytest

from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.identity import DeviceIdentity, TargetToken
from fleetrig.simulator.effects import Ask, Enter
from fleetrig.simulator.fleet import check_template, numbered
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


def test_a_serial_like_a_mac() -> None:
    assert [one.serial for one in numbered("de:ad:{n:02x}", 2, "T", first=10)] == ["de:ad:0a", "de:ad:0b"]
    assert next(numbered("{n:04X}@ü", 1, "T", first=255)).serial == "00FF@ü"


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("{n.__class__}", "expected a serial without blanks, with {n} or {n:04d}"), ("{n!r}", "without blanks"),
        ("{n:{n}}", "without blanks"), ("{n[0]}", "without blanks"), ("{0}", "without blanks"), ("{", "without blanks"),
        ("{n:>9}", "without blanks"), ("{n:9f}", "without blanks"), ("{n}{n}", "without blanks"),
        ("", "without blanks"),
        ("{n:099999999d}", "without blanks"), ("{n:0999d}", "at most 256 characters"), ("{n:٣d}", "without blanks"),
        ("a" * 257, "at most 256 characters"), ("a\0b", "can be seen"), ("a\x1b[2J", "can be seen"),
        ("a\ud800", "can be seen"), ("..", "no step of a path"), ("a\u200bb", "can be seen"), ("a b", "without blanks"),
    ],
)  # fmt: skip
def test_a_template_is_no_format_string(template: str, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        check_template(template)


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
