"""Why something is skipped on a server, and what to do about it: each kind of server has its own remedy."""

from __future__ import annotations

import pytest

from fleetrig.harness.scenario_file.vocabulary import vocabulary_of
from fleetrig.harness.servers.lacking import ALONE, ONLY_OURS, LeaveMissing, lacking_server
from fleetrig.harness.verdict import Lack

FAST = "--set hawkbit.controller.minPollingTime=00:00:01"
CERTIFICATES = "`https: URL` and `client_ca: {certificate: F.pem, key: F.key}`"


def why(platform: str, *lacking: str, is_own: bool = False, is_reference: bool = False) -> str:
    server = lacking_server("S", vocabulary_of(platform), lacking, is_own=is_own, is_reference=is_reference)
    return server.why_skipped(lacking)


@pytest.mark.parametrize(
    ("lacking", "remedy"),
    [
        (["hawkbit.fast_polling"], "if it has, say so in a SERVER.yaml: `can: [hawkbit.fast_polling]`"),
        (["https"], "if it listens there, say so in a SERVER.yaml: `https: HOST:PORT`"),
        (["hawkbit.fast_polling", "reference.faults"], ONLY_OURS),
        (["reference", "reference.faults"], ALONE),
        (["hawkbit.line_account"], "if it has, say so in a SERVER.yaml: `line: {user: NAME, password: env:NAME}`"),
    ],
)
def test_of_a_foreign_server_its_operator_can_say_more(lacking: list[str], remedy: str) -> None:
    assert why("hawkbit", *lacking) == f"S lacks {', '.join(lacking)}; {remedy}"


@pytest.mark.parametrize(
    ("platform", "lacking", "remedy"),
    [
        ("hawkbit", "hawkbit.fast_polling", f"start `fleetrig serve` with {FAST}"),
        ("hawkbit", "https", "start `fleetrig serve` with --https HOST:PORT"),
        ("hawkbit", "reference", ALONE),
        ("hawkbit", "client_certificates", f"say in a SERVER.yaml beside its `control`: {CERTIFICATES}"),
        ("hono", "hono.orphans", "start `fleetrig serve` with --profile 2-jdbc or 2-mongodb"),
        ("kura", "kura.disabled_let_in", "start `fleetrig serve` with --profile kapua-lax"),
    ],
)  # fmt: skip
def test_a_server_of_ours_is_started_otherwise(platform: str, lacking: str, remedy: str) -> None:
    assert why(platform, lacking, is_reference=True) == f"S lacks {lacking}; {remedy}"


def test_each_lack_is_told_by_itself_to_be_counted() -> None:
    server = lacking_server("S", vocabulary_of("hawkbit"), [], is_own=False, is_reference=False)
    assert server.lacks(["https", "reference.faults"]) == (
        Lack("https", "if it listens there, say so in a SERVER.yaml: `https: HOST:PORT`"),
        Lack("reference.faults", ONLY_OURS),
    )


def test_leave_that_is_missing_is_told_and_counted() -> None:
    missing = LeaveMissing("this would change pollingTime for everybody on S")
    assert (
        str(missing)
        == "this would change pollingTime for everybody on S; say --change-tenant-settings if that is meant"
    )
    assert missing.lack.remedy == "say --change-tenant-settings if that is meant"


def test_the_server_of_a_run_takes_another_profile() -> None:
    assert why("hono", "hono.orphans", is_own=True) == "S lacks hono.orphans; run it with --profile 2-jdbc or 2-mongodb"


def test_what_is_needed_twice_is_lacking_once() -> None:
    assert why("hawkbit", "https", "https").startswith("S lacks https;")
