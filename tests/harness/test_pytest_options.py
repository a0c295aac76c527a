"""What `fleetrig run` says of its options, with the names that they have in pytest."""

from __future__ import annotations

import pytest

from fleetrig.harness.pytest_plugin.options import as_in_pytest
from fleetrig.harness.servers.lacking import LEAVE_OPTION, ONLY_OURS


@pytest.mark.parametrize(
    ("said", "here"),
    [
        ("leave --against away", "leave --fleetrig-against away"),
        (f"say {LEAVE_OPTION} if that is meant", "say --fleetrig-change-tenant-settings if that is meant"),
        ("leave --fleetrig-against away", "leave --fleetrig-against away"),
        ("start `fleetrig serve` with --set a=b", "start `fleetrig serve` with --set a=b"),
    ],
)
def test_options_are_named_as_they_are_in_pytest(said: str, here: str) -> None:
    assert as_in_pytest(said) == here


def test_the_hint_at_a_foreign_server_names_no_option_of_run() -> None:
    assert " --against" in ONLY_OURS
    assert " --against" not in as_in_pytest(ONLY_OURS)
