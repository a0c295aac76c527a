"""What becomes of text on its way into a record: trimmed, and refused when nothing is left of it (§1.3, §1.5)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.reference_server.platforms.hawkbit.rig import Rig, document, error_code, status

SPACED = " \t\0x y\n "
RECORDS = {"targets": "controllerId", "targettags": "name", "targettypes": "name"}


def create(rig: Rig, resource: str, **fields: Any) -> Any:
    return document(rig.mgmt("POST", f"/{resource}", [{RECORDS[resource]: "first", **fields}]))


def message(answer: Any) -> str:
    assert status(answer) == 400
    assert error_code(answer) == "repo.constraintViolation"
    return str(document(answer)["message"])


@pytest.mark.parametrize(
    ("resource", "field"),
    [("targets", "name"), ("targets", "description"), ("targets", "securityToken"), ("targets", "address"),
     ("targets", "group"), ("targettags", "name"), ("targettags", "description"), ("targettags", "colour"),
     ("targettypes", "name"), ("targettypes", "key"), ("targettypes", "description"), ("targettypes", "colour")],
)  # fmt: skip
def test_text_is_stored_without_blanks_and_control_characters_around_it(rig: Rig, resource: str, field: str) -> None:
    assert create(rig, resource, **{field: SPACED})[0][field] == "x y"


@pytest.mark.parametrize(
    ("resource", "field", "sentence"),
    [("targets", "name", "name size must be between 1 and 128."),
     ("targets", "securityToken", "securityToken size must be between 1 and 128."),
     ("targettags", "name", "name size must be between 1 and 128."),
     ("targettypes", "key", "key size must be between 1 and 64.")],
)  # fmt: skip
def test_text_of_blanks_only_counts_as_empty_and_the_message_has_no_path(
    rig: Rig, resource: str, field: str, sentence: str
) -> None:
    assert message(rig.mgmt("POST", f"/{resource}", [{RECORDS[resource]: "first", field: "  "}])) == sentence
    assert rig.read(f"/{resource}")["total"] == 0


def test_an_id_of_blanks_only_is_too_short_for_id_and_name(rig: Rig) -> None:
    said = message(rig.mgmt("POST", "/targets", [{"controllerId": " "}]))
    assert said == "controllerId size must be between 1 and 256. name size must be between 1 and 128."


def test_what_is_wrong_with_a_request_is_said_before_what_is_wrong_with_a_record(rig: Rig) -> None:
    said = message(rig.mgmt("POST", "/targets", [{"controllerId": "a b"}, {"controllerId": "c", "name": "x" * 129}]))
    assert said == "create.create[1].name size must be between 1 and 128."


def test_a_change_is_trimmed_too(rig: Rig) -> None:
    rig.create("dev")
    assert document(rig.mgmt("PUT", "/targets/dev", {"name": SPACED}))["name"] == "x y"
    assert message(rig.mgmt("PUT", "/targets/dev", {"name": " "})) == "name size must be between 1 and 128."
    tag = create(rig, "targettags")[0]
    assert document(rig.mgmt("PUT", f"/targettags/{tag['id']}", {"colour": SPACED}))["colour"] == "x y"


def test_a_tag_without_a_name_is_refused_as_a_record(rig: Rig) -> None:
    assert message(rig.mgmt("POST", "/targettags", [{}])) == "name must not be null."


def test_a_group_that_the_database_has_no_room_for(rig: Rig) -> None:
    refused = rig.mgmt("POST", "/targets", [{"controllerId": "dev", "group": "x" * 257}])
    assert status(refused) == 400
    assert document(refused) == {
        "exceptionClass": "org.springframework.dao.DataIntegrityViolationException",
        "message": "The data provided violates integrity rules. Please ensure all required fields are valid.",
    }


@pytest.mark.parametrize("field", ["controllerId", "group", "name"])
def test_a_change_reads_the_types_of_fields_it_has_no_use_for(rig: Rig, field: str) -> None:
    rig.create("dev")
    assert error_code(rig.mgmt("PUT", "/targets/dev", {field: []})) == "rest.body.notReadable"
    assert status(rig.mgmt("PUT", "/targets/dev", {"group": "g", "controllerId": "other"})) == 200
    assert "group" not in rig.read("/targets/dev")


@pytest.mark.parametrize("resource", [*RECORDS])
def test_null_among_new_records_breaks_the_server(rig: Rig, resource: str) -> None:
    answer = rig.mgmt("POST", f"/{resource}", [None])
    assert (status(answer), document(answer)["error"]) == (500, "Internal Server Error")


def test_every_kind_of_record_counts_its_own_ids(rig: Rig) -> None:
    assert [create(rig, resource)[0].get("id") for resource in RECORDS] == [None, 1, 1]


def test_a_byte_order_mark_before_a_body_is_skipped(rig: Rig) -> None:
    assert status(rig.mgmt("POST", "/targets", b"\xef\xbb\xbf[]")) == 201
