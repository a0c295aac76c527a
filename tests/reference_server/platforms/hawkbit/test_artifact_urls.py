"""Links to files, and the start-up properties that make others of them (§2.4, §10)."""

from __future__ import annotations

from typing import Any

import pytest

from fleetrig.reference_server.platforms.hawkbit.state.artifact_urls import (
    DDI,
    MGMT,
    PROTOCOLS,
    Download,
    UrlProtocol,
    artifact_links,
)

ORIGIN = "https://updates.shop.example:8443"
FILE = Download("DEFAULT", 7, "fw 1.bin", "ab12", "de:ad:be:ef:00:01", ORIGIN)


def links(one: UrlProtocol, file: Download = FILE) -> dict[str, Any]:
    return artifact_links({"one": one}, DDI, file)


def test_by_default_a_device_downloads_from_where_it_called() -> None:
    href = f"{ORIGIN}/DEFAULT/controller/v1/de:ad:be:ef:00:01/softwaremodules/7/artifacts/fw+1.bin"
    found = artifact_links(PROTOCOLS, DDI, FILE)
    assert list(found) == ["download-http", "md5sum-http"]
    assert found == {"download-http": {"href": href}, "md5sum-http": {"href": href + ".MD5SUM"}}
    assert artifact_links(PROTOCOLS, MGMT, FILE) == {}


@pytest.mark.parametrize(
    ("ref", "href"),
    [
        ("{protocol}://{hostname}:{port}/{artifactSHA1}", "ftp://cdn.example:21/ab12"),
        ("{protocolRequest}://{hostnameRequest}:{portRequest}/x", f"{ORIGIN}/x"),
        ("coap://{ip}/{tenant}/{softwareModuleId}", "coap://10.0.0.9/DEFAULT/7"),
        ("https://{domainRequest}/{artifactFileName}", "https://cdn.shop.example/fw+1.bin"),
        ("x{port}/{contextPath}{unknown}/{controllerId}", "x//de:ad:be:ef:00:01"),
    ],
)
def test_placeholders_of_a_pattern(ref: str, href: str) -> None:
    one = UrlProtocol(ref=ref, protocol="ftp", hostname="cdn.example", ip="10.0.0.9", port=21)
    assert links(one) == {"download-http": {"href": href}}


def test_a_port_that_is_not_given_leaves_no_colon() -> None:
    one = UrlProtocol(ref="{protocol}://{hostname}:{port}/", port=None)
    assert links(one) == {"download-http": {"href": "http://localhost/"}}
    plain = Download("DEFAULT", 7, "fw.bin", "ab12", "dev", "http://host")
    assert links(UrlProtocol(ref="http://{hostnameRequest}:{portRequest}/"), plain)["download-http"] == {
        "href": "http://host/"
    }


def test_a_protocol_that_is_off_or_for_another_api_has_no_link() -> None:
    assert links(UrlProtocol(enabled=False)) == {}
    assert links(UrlProtocol(supports=frozenset({MGMT}))) == {}


def test_two_links_of_one_rel_are_an_array() -> None:
    two = {"b": UrlProtocol(ref="b:"), "a": UrlProtocol(ref="a:")}
    assert artifact_links(two, DDI, FILE) == {"download-http": [{"href": "a:"}, {"href": "b:"}]}


def test_one_word_is_no_name_in_a_domain() -> None:
    assert links(UrlProtocol(ref="{domainRequest}", hostname="cdn")) == {"download-http": {"href": "cdn"}}
