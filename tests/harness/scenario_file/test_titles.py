"""How actions and checks are called in reports."""

from __future__ import annotations

from typing import Any

import pytest

from fleetrig.harness.scenario_file.platform_models import models_for
from fleetrig.harness.scenario_file.titles import title_of

HAWKBIT = models_for("hawkbit")


@pytest.mark.parametrize(
    ("tree", "title"),
    [
        ("power_on", "power_on"),
        ({"wait": "1.5s"}, "wait 1.5s"),
        ({"power_on": {"spread": "2s", "cut_at": "poll#1:sent"}}, "power_on {spread: 2s, cut_at: poll#1:sent}"),
        ({"configure": {"pollingTime": "00:00:01", "implicit.lock.enabled": True}},
         "configure {pollingTime: 00:00:01, implicit.lock.enabled: true}"),
    ],
)  # fmt: skip
def test_actions_are_called_as_in_the_file(tree: Any, title: str) -> None:
    assert title_of(HAWKBIT.action.model_validate(tree)) == title


@pytest.mark.parametrize(
    ("tree", "title"),
    [
        ({"sends": {"name": "poll", "times": 1}}, "sends {name: poll, times: 1}"),
        ({"sends": {"name": "poll", "times": {"at_least": 2}}}, "sends {name: poll, times: {at_least: 2}}"),
        ({"registry": {"attribute_keys": ["a", "b"], "devices": 2}}, "registry {attribute_keys: [a, b], devices: 2}"),
        ({"registry": {"tokens_differ": True, "devices": 2, "created_by": "admin", "in_state": "unknown"}},
         "registry {in_state: unknown, created_by: admin, tokens_differ: true, devices: 2}"),
        ({"never": {"sends": {"name": "download"}}}, "never {sends: {name: download}}"),
        (
            {"order": [{"sends": {"name": "poll", "header": {"A": "b"}}}, {"receives": {"name": "poll", "status": 200}},
                       {"reaches": {"stage": "online"}}, {"no_reply": {}}]},
            "order sends poll {…} → receives poll 200 → reaches online → no_reply",
        ),
    ],
)  # fmt: skip
def test_checks_are_called_as_in_the_file_and_orders_in_short(tree: Any, title: str) -> None:
    assert title_of(HAWKBIT.check.model_validate(tree)) == title
