"""`--try` does it for real, under a name of its own, and leaves nothing behind; what it alone can find."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness.doctor.thingsboard.bench import ALLOW, CHECK, NAME, TOKEN, Bench, ask
from tests.harness.doctor.thingsboard.conftest import Doctor, serving
from tests.harness.doctor.thingsboard.seeds import ASKS, LOGS_IN, document

pytestmark = pytest.mark.slow
PROPERTIES = (
    "--set=maxDevices=1",
    "--set=transportDeviceMsgRateLimit=5:60",
    "--set=security.claim.allowClaimingByDefault=false",
)


@pytest.mark.parametrize("over", ["http", "mqtt", "coap"])
@pytest.mark.parametrize("strategy", [ALLOW, CHECK])
def test_a_throw_away_device_is_provisioned_and_removed(strategy: str, over: str, bench: Bench, doctor: Doctor) -> None:
    bench.profile("Model A", strategy)
    if strategy == CHECK:
        bench.device(profile="Model A")
    names = bench.names()

    page = doctor(bench, *ASKS, "--try", over=over)

    assert (page.names, page.code) == ([], 0)
    assert "throw-away device" in page.document["headline"]
    assert "SUCCESS" in page.document["answered"]
    assert bench.names() == names
    assert ask(bench) == "SUCCESS", "the device itself was not provisioned by this"


def test_a_refusal_that_is_foretold_needs_no_trial(bench: Bench, doctor: Doctor) -> None:
    bench.profile("Model A")
    bench.device(profile="Model A")

    page = doctor(bench, *ASKS, "--try")

    assert page.names == ["already-exists"]
    assert bench.names() == [NAME]


def test_a_chain_is_shown_whole(bench: Bench, doctor: Doctor) -> None:
    ca = bench.chain_profile("Chained")
    files = bench.cert_files(ca.issue_client(NAME), ca)

    foretold = doctor(bench, *files, over="mqtts")
    assert (foretold.names, foretold.notes, bench.names()) == ([], ["creates"], [])
    tried = doctor(bench, *files, "--try", over="mqtts")

    assert (tried.names, tried.code) == ([], 0)
    assert bench.names() == [NAME]
    assert bench.credentials()["credentialsType"] == "X509_CERTIFICATE"


def test_a_renewed_leaf_replaces_only_when_that_is_wanted(bench: Bench, doctor: Doctor) -> None:
    ca = bench.chain_profile("Chained")
    doctor(bench, *bench.cert_files(ca.issue_client(NAME), ca), "--try", over="mqtts")
    before = bench.credentials()["credentialsId"]
    renewed = bench.cert_files(ca.issue_client(NAME), ca)

    foretold = doctor(bench, *renewed, over="mqtts")
    assert (foretold.code, foretold.names, foretold.notes) == (0, [], ["replaces"])
    assert bench.credentials()["credentialsId"] == before

    assert doctor(bench, *renewed, "--try", over="mqtts").code == 0
    assert bench.credentials()["credentialsId"] != before


def test_start_up_properties_and_limits(tmp_path: Path, doctor: Doctor) -> None:
    with serving(tmp_path, *PROPERTIES) as bench:
        bench.profile("Model A")
        limits_and_claiming(bench, doctor)

        assert doctor(bench, *ASKS).code == 0, "nothing that can be seen speaks against it"
        page = doctor(bench, *ASKS, "--try", over="mqtt")
        assert (page.names, page.code) == (["limit-reached"], 1)
        bench.delete("the-only-one")
        assert doctor(bench, *ASKS, "--try", over="mqtt").code == 0


def test_a_token_that_somebody_has_shows_in_a_trial_only(bench: Bench, doctor: Doctor) -> None:
    bench.profile("Model A")
    bench.device("another", token="another-token-0123")
    request = bench.request_file(document(token="another-token-0123", credentialsType="ACCESS_TOKEN"))

    page = doctor(bench, *request, "--try")

    assert page.names == ["limit-reached"]
    assert "in use by another device of the installation" in page.one("limit-reached")["cause"]
    assert bench.names() == ["another"]


# -- other servers


def limits_and_claiming(bench: Bench, doctor: Doctor) -> None:
    """Of the one device that there may be."""
    bench.device("the-only-one", token=TOKEN)
    page = doctor(bench, *LOGS_IN, "--claim", "--name", "the-only-one", over="mqtt")
    assert (page.names, page.code) == (["claiming-off"], 0)
    assert "security.claim.allowClaimingByDefault=false" in page.one("claiming-off")["cause"]
    assert "may send 5:60 (messages" in page.one("rate-limited")["cause"]

    bench.set_attributes({"claimingAllowed": True}, "the-only-one")
    assert doctor(bench, *LOGS_IN, "--claim", "--name", "the-only-one", over="mqtt").names == []


def test_an_old_server_sends_no_suback_and_answers_again(tmp_path: Path, doctor: Doctor) -> None:
    with serving(tmp_path, "--profile", "3.2") as bench:
        bench.profile("Model A", CHECK)
        bench.device(profile="Model A")

        page = doctor(bench, *ASKS, over="mqtt")
        assert (page.names, page.code) == ([], 0)
        assert "no-suback" in page.notes
        bench.set_state("provisioned")
        page = doctor(bench, *ASKS, over="mqtt")
        assert (page.names, page.code) == ([], 0)
        assert "answers-again" in page.notes
        assert bench.state() == "provisioned"


def test_a_server_that_answers_as_documented(tmp_path: Path, doctor: Doctor) -> None:
    with serving(tmp_path, "--profile", "as-documented") as bench:
        bench.profile("Model A")

        page = doctor(bench, *ASKS, "--reads", "provisionDeviceStatus")

    assert (page.names, page.code) == ([], 0)
    assert "replies-as-documented" in page.notes
