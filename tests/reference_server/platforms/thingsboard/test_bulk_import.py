"""The bulk import of devices: what lines and columns mean, and which lines are refused (section 4, S84, S100)."""

from __future__ import annotations

from typing import Any

import pytest

from fleetrig.reference_server.platforms.thingsboard.rest.csv_lines import cell_value, records
from fleetrig.reference_server.platforms.thingsboard.state.credential_forms import sha3
from tests.reference_server.platforms.thingsboard.http_rig import HttpRig, document, refused
from tests.reference_server.platforms.thingsboard.test_rest_devices import credentials_of


def column(word: str) -> dict[str, str]:
    """`NAME`, or `SERVER_ATTRIBUTE batch`."""
    kind, _, key = word.partition(" ")
    return {"type": kind, "key": key} if key else {"type": kind}


def imported(rig: HttpRig, file: str, *columns: str, **mapping: Any) -> dict[str, Any]:
    mapping = {
        "columns": [column(word) for word in columns],
        "delimiter": ",",
        "update": True,
        "header": True,
    } | mapping
    found: dict[str, Any] = document(rig.ask("POST", "/api/device/bulk_import", {"file": file, "mapping": mapping}))
    return found


def device(rig: HttpRig, name: str) -> dict[str, Any]:
    found: dict[str, Any] = rig.get(f"/api/tenant/devices?deviceName={name}")
    return found


def attributes(rig: HttpRig, name: str, scope: str = "SERVER_SCOPE") -> dict[str, Any]:
    path = f"/api/plugins/telemetry/DEVICE/{device(rig, name)['id']['id']}/values/attributes/{scope}"
    return {each["key"]: each["value"] for each in rig.get(path)}


def test_good_lines_are_imported_and_bad_ones_named() -> None:
    rig = HttpRig()

    tally = imported(
        rig, "name,type,batch\nd1,C,b1\n<b>d</b>,C,b1\nd3,C,b1\n", "NAME", "TYPE", "SERVER_ATTRIBUTE batch"
    )

    assert tally == {
        "created": 2,
        "updated": 0,
        "errors": 1,
        "errorsList": ["Line 3: DataValidationException: Validation error: name is malformed"],
    }
    assert device(rig, "d1")["type"] == "C"
    assert attributes(rig, "d1") == {"batch": "b1"}
    assert len(credentials_of(rig, device(rig, "d3"))["credentialsId"]) == 20


def test_lines_are_counted_with_the_header_and_without_it() -> None:
    tally = imported(HttpRig(), "d1\n<b>\n", "NAME", header=False)

    assert (tally["created"], tally["errorsList"][0][:7]) == (1, "Line 2:")


def test_an_existing_device_is_updated_and_keeps_its_credentials() -> None:
    rig = HttpRig()
    made = rig.device("d", "A", "mine")

    tally = imported(rig, "name,type,label\nd,B,l\n", "NAME", "TYPE", "LABEL")

    assert (tally["created"], tally["updated"]) == (0, 1)
    assert (device(rig, "d")["type"], device(rig, "d")["label"]) == ("B", "l")
    assert credentials_of(rig, made)["credentialsId"] == "mine"


def test_without_update_an_existing_device_keeps_its_attributes() -> None:
    rig = HttpRig()
    for batch, update in (("1", True), ("2", False)):
        imported(rig, f"n,b\nd,{batch}\n", "NAME", "SERVER_ATTRIBUTE b", update=update)

    assert attributes(rig, "d") == {"b": 1}


@pytest.mark.parametrize(
    ("columns", "cells", "kind", "credentials_id"),
    [
        (["ACCESS_TOKEN"], "tok", "ACCESS_TOKEN", "tok"),
        (["X509"], "testHash", "X509_CERTIFICATE", sha3("testHash")),
        (["MQTT_USER_NAME"], "u", "MQTT_BASIC", "u"),
        (["MQTT_CLIENT_ID", "MQTT_USER_NAME", "MQTT_PASSWORD"], "c,u,p", "MQTT_BASIC", sha3("c|u")),
    ],
)
def test_credentials_stand_in_columns(columns: list[str], cells: str, kind: str, credentials_id: str) -> None:
    rig = HttpRig()
    rig.device("old")

    tally = imported(rig, f"new,{cells}\n", "NAME", *columns, header=False)
    again = imported(rig, f"new,{cells}\n", "NAME", *columns, header=False)

    found = credentials_of(rig, device(rig, "new"))
    assert (tally["created"], again["updated"]) == (1, 1)
    assert (found["credentialsType"], found["credentialsId"]) == (kind, credentials_id)


def test_a_token_that_is_taken_is_an_error_of_its_line() -> None:
    rig = HttpRig()

    tally = imported(rig, "d1,tok\nd2,tok\n", "NAME", "ACCESS_TOKEN", header=False)

    assert tally["errorsList"] == [
        "Line 2: DeviceCredentialsValidationException: Device credentials are already assigned to another device!"
    ]
    assert rig.ask("GET", "/api/tenant/devices?deviceName=d2").response.status == 404


def test_a_line_may_bring_other_credentials() -> None:
    rig = HttpRig()
    made = rig.device("d", token="mine")

    tally = imported(rig, "d,other\n", "NAME", "ACCESS_TOKEN", header=False)

    assert tally["updated"] == 1
    assert credentials_of(rig, made)["credentialsId"] == "other"


def test_bad_basic_credentials_are_an_error_of_their_line() -> None:
    tally = imported(HttpRig(), "d1,c,p\n", "NAME", "MQTT_CLIENT_ID", "MQTT_PASSWORD", header=False)

    assert tally["errorsList"][0].startswith(
        "Line 1: DeviceCredentialsValidationException: Invalid device credentials: "
    )


def test_a_line_without_a_name_touches_nobody() -> None:
    """The real server overwrites some other device."""
    rig = HttpRig()
    rig.device("d", "A")

    tally = imported(rig, "name,type,label\n,B,l\n", "NAME", "TYPE", "LABEL")

    assert (tally["updated"], tally["errors"]) == (0, 1)
    assert (device(rig, "d")["type"], device(rig, "d")["label"]) == ("A", None)


def test_a_line_that_is_cut_short_is_a_device_of_the_default_profile() -> None:
    rig = HttpRig()

    imported(rig, "name,type\nd\n", "NAME", "TYPE")

    assert device(rig, "d")["type"] == "default"


def test_gateways_descriptions_and_values() -> None:
    rig = HttpRig()
    columns = ("NAME", "IS_GATEWAY", "DESCRIPTION", "SHARED_ATTRIBUTE s", "TIMESERIES t", "SERVER_ATTRIBUTE")

    imported(rig, "d,true,x,1.5,2,nameless\n", *columns, header=False)

    made = device(rig, "d")
    assert made["additionalInfo"] == {"gateway": True, "description": "x"}
    assert attributes(rig, "d", "SHARED_SCOPE") == {"s": 1.5}
    assert attributes(rig, "d") == {}
    latest = rig.get(f"/api/plugins/telemetry/DEVICE/{made['id']['id']}/values/timeseries?keys=t")
    assert latest["t"][0]["value"] == "2"


@pytest.mark.parametrize(
    ("file", "mapping", "status"),
    [
        ("d,too,many\n", {"header": False}, 500),
        ("d\n", {"columns": "NAME"}, 500),
        ("d\n", {"columns": [{"type": "COLOUR"}]}, 500),
        ("d\n", {"columns": [{}]}, 500),
        ("d\n", {"delimiter": ";;"}, 500),
        ("d\n", {"delimiter": None}, 500),
        ("d\n", {"delimiter": ""}, 500),
        ("d\n", {"delimiter": '"'}, 400),
        ("d\n", {"delimiter": "\n"}, 400),
        ("d\n", {"header": None}, 500),
        ("d\n", {"header": "x"}, 500),
        ("", {}, 500),
        ('n\n"d', {}, 500),
        ('n\n"d"x', {}, 500),
    ],
)
def test_a_mapping_that_is_none_is_refused(file: str, mapping: dict[str, Any], status: int) -> None:
    full = {"columns": [{"type": "NAME"}], "delimiter": ",", "update": True, "header": True} | mapping

    assert refused(HttpRig().ask("POST", "/api/device/bulk_import", {"file": file, "mapping": full}))[0] == status


def test_cells_may_be_quoted_and_empty_lines_do_not_count() -> None:
    assert records('a,"b ""c"", d"\r\n\r\n e ,\n', ",") == [["a", 'b "c", d'], [" e ", ""]]
    assert records("a;b", ";") == [["a", "b"]]
    assert records('"a" \t,b\r"c\nd" \n', ",") == [["a", "b"], ["c\nd"]], "blanks behind a quote do not count"
    assert records(' "a",b"c\n \n', ",") == [[' "a"', 'b"c'], [" "]], "a quote within a cell is a character"


def test_a_line_without_a_type_leaves_the_device_in_its_own() -> None:
    rig = HttpRig()
    rig.device("d", "A")

    imported(rig, "n,l\nd,l\ne,l\n", "NAME", "LABEL")

    assert [device(rig, name)["type"] for name in "de"] == ["A", "default"]


def test_what_is_said_of_a_device_is_kept_in_the_order_of_the_columns() -> None:
    rig = HttpRig()

    imported(rig, "n,g,d\na,true,x\n", "NAME", "IS_GATEWAY", "DESCRIPTION")

    assert list(device(rig, "a")["additionalInfo"]) == ["gateway", "description"]


def test_without_the_word_update_a_line_fails_when_its_device_is_made() -> None:
    rig = HttpRig()

    tally = imported(rig, "n,b\nd,1\n", "NAME", "SERVER_ATTRIBUTE b", update=None)

    assert (tally["created"], tally["errors"]) == (0, 1)
    assert attributes(rig, "d") == {}


def test_a_mapping_takes_numbers_for_words() -> None:
    assert imported(HttpRig(), "n,h\nd,h\n", "NAME", "SNMP_HOST", delimiter=44, header=1, update=0)["created"] == 1


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("1", 1),
        ("1.0", 1.0),
        ("1,5", 1.5),
        ("-7", -7),
        ("1e3", 1000),
        ("TRUE", True),
        ("false", False),
        ('{"a": 1}', {"a": 1}),
        ("[1, 2]", [1, 2]),
        ("{no json}", "{no json}"),
        ("1.2.3", "1.2.3"),
        ("0.12345678901234567", "0.12345678901234567"),
        ("text", "text"),
    ],
)
def test_what_a_cell_means(cell: str, value: object) -> None:
    found = cell_value(cell)

    assert (found, type(found)) == (value, type(value))
