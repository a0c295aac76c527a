"""An administrator's account: it logs in by itself, reads page by page, and says what a server lacks."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from fleetrig.harness.platforms.kura.admin import KuraAdmin
from fleetrig.harness.platforms.kura.device_management import load_certificate
from fleetrig.harness.platforms.kura.request_calls import NoProvisioning, create_request, find_request
from fleetrig.harness.platforms.kura.signers import signers_of
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.identity import UserPassword
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.drivers.director import AdminCall
from fleetrig.simulator.effects import Ask, Outcome, Reply

LOGIN = "/v1/authentication/user"
PEM = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n"


def admin() -> KuraAdmin:
    return KuraAdmin("http://h", UserPassword("anna", "pass"), "kapua-sys")


def answered(status: int, document: object) -> HttpResponse:
    return HttpResponse(status, (), json.dumps(document).encode())


def play(call: AdminCall[object], server: Callable[[HttpRequest], HttpResponse]) -> tuple[list[HttpRequest], object]:
    asked: list[HttpRequest] = []
    outcome: Outcome | None = None
    while True:
        try:
            effect = call.send(outcome) if outcome is not None else next(call)
        except StopIteration as over:
            return asked, over.value
        assert isinstance(effect, Ask)
        assert isinstance(effect.request, HttpRequest)
        asked.append(effect.request)
        is_login = effect.request.target == LOGIN
        said = answered(200, {"tokenId": f"token-{len(asked)}", "scopeId": "AQ"}) if is_login else None
        outcome = Reply(said or server(effect.request), 0.0)


def test_a_token_that_has_run_out_is_renewed_once_and_masked() -> None:
    operator = admin()
    operator.masks = Secrets()

    def server(request: HttpRequest) -> HttpResponse:
        if request.header("Authorization") == "Bearer token-1":
            return answered(401, {"message": "expired"})
        return answered(200, {"items": [], "limitExceeded": False})

    asked, found = play(operator.device("AQ", "KU-1"), server)
    assert found is None
    assert [one.header("Authorization") for one in asked] == [None, "Bearer token-1", None, "Bearer token-3"]
    assert "token-3" not in operator.masks.hide("a token-3")
    assert operator.scope_id == "AQ"


def test_a_list_is_read_to_its_end() -> None:
    def server(request: HttpRequest) -> HttpResponse:
        at = int(request.target.partition("offset=")[2].partition("&")[0])
        items = [{"id": str(number)} for number in range(at, min(at + 2, 5))]
        return answered(200, {"items": items, "limitExceeded": at + 2 < 5})

    _, found = play(admin().listed("AQ/devices"), server)
    assert found == [{"id": str(number)} for number in range(5)]


def test_an_update_carries_all_that_was_read() -> None:
    def server(request: HttpRequest) -> HttpResponse:
        return answered(200, {"id": "7", "optlock": 3, "status": "ENABLED"})

    asked, _ = play(admin().change("AQ/devices/7", {"status": "DISABLED"}), server)
    assert json.loads(body_bytes(asked[-1].body)) == {"id": "7", "optlock": 3, "status": "DISABLED"}


@pytest.mark.parametrize("status", [404, 405])
def test_a_server_without_provision_requests_is_named(status: int) -> None:
    with pytest.raises(NoProvisioning, match="this server has no /v2/provisionRequests"):
        play(create_request(admin(), {}), lambda _: answered(status, {"message": "HTTP 404 Not Found"}))
    assert play(find_request(admin(), "AQ", "KU-1"), lambda _: answered(status, {}))[1] is None


def test_a_refusal_of_the_interface_itself_is_shown() -> None:
    refusal = {"entityType": "account", "message": "no such account"}
    with pytest.raises(BrokenBench, match="no such account") as raised:
        play(create_request(admin(), {}), lambda _: answered(404, refusal))
    assert not isinstance(raised.value, NoProvisioning)


def test_the_newest_request_of_a_client_counts() -> None:
    listed = [{"id": "1", "clientId": "KU-1", "createdOn": 5}, {"id": "2", "clientId": "KU-1", "createdOn": 9},
              {"id": "3", "clientId": "KU-11", "createdOn": 12}]  # fmt: skip
    found = play(find_request(admin(), "AQ", "KU-1"), lambda _: answered(200, {"provisionRequest": listed}))[1]
    assert found == listed[1]


def test_whoever_gives_another_certificate_back_has_not_loaded_it() -> None:
    def server(request: HttpRequest) -> HttpResponse:
        return HttpResponse(204) if request.method == "POST" else answered(200, {"certificate": PEM + "x"})

    with pytest.raises(BrokenBench, match="another certificate"):
        play(load_certificate(admin(), "AQ/devices/7", "DMKeystore", "dm-1", PEM), server)


def test_only_what_is_valid_and_signs_control_messages_is_a_signer() -> None:
    signs = {"name": "dm-1", "certificate": PEM * 2, "certificateUsages": [{"name": "DEVICE_MANAGEMENT"}]}
    others = [
        {**signs, "status": "REVOKED"},
        {**signs, "certificateUsages": [{"name": "JWT"}]},
        {**signs, "certificate": ""},
    ]
    found = play(signers_of(admin(), "AQ"), lambda _: answered(200, {"items": [*others, signs]}))[1]
    assert isinstance(found, list)
    assert [(one.alias, one.own_pem, one.root_pem) for one in found] == [("dm-1", PEM, PEM)]
    assert play(signers_of(admin(), "AQ"), lambda _: answered(404, {}))[1] == ()
