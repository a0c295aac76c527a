"""What `make test` tries a part of, whole: every row for devices, and the model in every scenario."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fleetrig.harness.platforms.hawkbit.conformance.suite import ROWS as ROWS_OF_HAWKBIT
from tests.harness.external import test_hono_rows, test_kura_rows, test_thingsboard_rows
from tests.harness.platforms.hawkbit.conformance import test_start_properties
from tests.harness.platforms.hono.test_load import fleet_under_load
from tests.harness.test_follows_model import follow_their_model
from tests.peers.thingsboard.sdk import sdk_python
from tests.peers.thingsboard.test_sdk_rows import ROWS, judge_rows


@pytest.mark.parametrize("part", range(test_thingsboard_rows.PARTS))
@pytest.mark.parametrize("rows", [test_thingsboard_rows, test_hono_rows], ids=["thingsboard", "hono"])
def soak_our_own_device_passes_over_sockets(rows: Any, part: int, tmp_path: Path) -> None:
    rows.pass_over_sockets(part, tmp_path)


@pytest.mark.parametrize("part", range(test_kura_rows.PARTS))
def soak_our_own_gateway_passes_over_sockets(part: int, tmp_path: Path) -> None:
    test_kura_rows.pass_over_sockets(part, tmp_path)


@pytest.mark.parametrize(("over", "kind", "workers"), [("mqtt", "certificate", 2), ("http", "password", 0)])
def soak_fleets_of_hono_under_load(over: str, kind: str, workers: int, tmp_path: Path) -> None:
    fleet_under_load(tmp_path, over, kind, workers)


@pytest.mark.parametrize("group", test_start_properties.GROUPS)
def soak_every_row_meets_every_start_property(group: str, monkeypatch: pytest.MonkeyPatch) -> None:
    test_start_properties.judge_group(group, ROWS_OF_HAWKBIT, monkeypatch)


@pytest.mark.parametrize("platform", ["hawkbit", "thingsboard", "hono"])
def soak_our_own_devices_follow_their_model(platform: str, tmp_path: Path) -> None:
    follow_their_model(platform, tmp_path, every=1)


def soak_the_sdk_passes_but_for_what_is_known_of_it(tmp_path: Path) -> None:
    judge_rows(ROWS, sdk_python(), tmp_path)
