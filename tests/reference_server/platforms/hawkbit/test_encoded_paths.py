"""Letters and digits of a path that came percent-encoded mean the same: to routes, to rights and to bounds."""

from __future__ import annotations

import pytest

from fleetrig.reference_server.platforms.hawkbit.request.plain_path import decoded_where_plain
from fleetrig.reference_server.platforms.hawkbit.request.request_documents import DEVICES_VALUES, most_values
from tests.reference_server.platforms.hawkbit.rig import Rig, basic, status


@pytest.mark.parametrize(
    ("path", "decoded"),
    [
        ("/%72est/v1/%74argets", "/rest/v1/targets"),
        ("/DEFAULT/%63ontroller/v%31/a%2fb", "/DEFAULT/controller/v1/a%2fb"),
        ("/a%20%C3%BC%2541%", "/a%20%C3%BC%2541%"),
    ],
)
def test_only_letters_and_digits_are_decoded(path: str, decoded: str) -> None:
    assert decoded_where_plain(path) == decoded


def test_the_management_api_wants_its_user(rig: Rig) -> None:
    assert status(rig.send("GET", "/%72est/v1/%74argets", {"Authorization": basic("admin", "admin")})) == 200
    assert status(rig.send("GET", "/%72est/v1/targets")) == 401
    assert status(rig.send("GET", "/%72est/v1/nope", {"Authorization": basic("admin", "admin")})) == 404


def test_a_device_wants_its_token(rig: Rig) -> None:
    assert status(rig.send("GET", "/DEFAULT/%63ontroller/v1/dev")) == 401
    rig.gateway_on()
    rig.poll("dev")
    assert status(rig.device("GET", "%64ev", "")) == 200


def test_a_document_of_a_device_keeps_its_bound() -> None:
    assert most_values("/DEFAULT/%63ontroller/v%31/dev/configData") == DEVICES_VALUES
