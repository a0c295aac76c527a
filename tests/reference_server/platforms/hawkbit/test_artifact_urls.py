"""Links to files, and the start-up properties that make others of them (§2.4)."""

from __future__ import annotations

from dataclasses import replace
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
from fleetrig.reference_server.platforms.hawkbit.state.errors import HawkbitError
from fleetrig.reference_server.platforms.hawkbit.state.properties import settings_from_properties
from tests.reference_server.platforms.hawkbit.deployment_bench import Bench

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


@pytest.mark.parametrize("controller_id", ["a{", "a{}", "a}{", "a{y-z}", "a{ü}", "a{{b}}"])
def test_a_lone_brace_makes_no_link(controller_id: str) -> None:
    """Compared with a real one: it reads each link as a template, and answers 400 for the whole document."""
    with pytest.raises(HawkbitError) as refused:
        artifact_links(PROTOCOLS, DDI, replace(FILE, controller_id=controller_id))
    assert refused.value.status == 400


@pytest.mark.parametrize(("controller_id", "shown"), [("a{y}", "a"), ("a}", "a}"), ("a{?y,z}", "a"), ("a|<", "a|<")])
def test_braces_around_a_name_are_left_out(controller_id: str, shown: str) -> None:
    found = artifact_links(PROTOCOLS, DDI, replace(FILE, controller_id=controller_id))
    assert f"/v1/{shown}/softwaremodules/" in found["download-http"]["href"]


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


# -- from start-up properties to what devices and operators are shown

LINKS = "hawkbit.artifact.url.protocols"
CDN = "{protocol}://{hostname}:{port}/{tenant}/{artifactSHA1}/{artifactFileName}"


def bench_with(**parts: str) -> Bench:
    """A server whose CDN has these parts, with a file for `dev`; `__` in a name for the dot, `_` for a dash."""
    properties = {f"{LINKS}.{name.replace('__', '.').replace('_', '-')}": text for name, text in parts.items()}
    bench = Bench(settings_from_properties(properties))
    bench.deployed()
    return bench


def device_links(bench: Bench) -> dict[str, Any]:
    [chunk] = bench.device("GET", "/deploymentBase/1").body["deployment"]["chunks"]
    found: dict[str, Any] = chunk["artifacts"][0]["_links"]
    return found


def operator_links(bench: Bench, path: str = "/1?useartifacturlhandler=true") -> dict[str, Any]:
    body = bench.mgmt("GET", f"/softwaremodules/1/artifacts{path}").body
    found: dict[str, Any] = (body[0] if isinstance(body, list) else body)["_links"]
    return found


def test_a_new_protocol_is_one_link_more() -> None:
    bench = bench_with(
        cdn__rel="download", cdn__ref=CDN, cdn__protocol="https", cdn__hostname="cdn.example", cdn__port="8443"
    )
    sha1 = bench.mgmt("GET", "/softwaremodules/1/artifacts/1").body["hashes"]["sha1"]
    link = {"href": f"https://cdn.example:8443/DEFAULT/{sha1}/fw.bin"}
    found = device_links(bench)
    assert found["download"] == link
    assert set(found) == {"download", "download-http", "md5sum-http"}
    assert operator_links(bench)["download"] == link, "a new protocol is for all APIs"
    assert operator_links(bench, "?useartifacturlhandler=true&representation=full")["download"] == link
    assert set(operator_links(bench, "?useartifacturlhandler=true")) == {"self"}


def test_the_md5_sum_follows_the_file_unless_it_has_its_own() -> None:
    proxy = bench_with(download_http__ref="https://{hostname}/{artifactFileName}", download_http__hostname="proxy")
    links = device_links(proxy)
    assert links["download-http"] == {"href": "https://proxy/fw.bin"}
    assert links["md5sum-http"] == {"href": "https://proxy/fw.bin.MD5SUM"}
    own = {"md5sum_http__ref": "https://{ip}/sum", "md5sum_http__ip": "10.0.0.9"}
    apart = bench_with(download_http__ref="https://file", **own)
    assert device_links(apart)["md5sum-http"] == {"href": "https://10.0.0.9/sum"}


def test_links_are_switched_off_and_given_to_some_apis() -> None:
    bench = bench_with(download_http__enabled="false", md5sum_http__supports="mgmt", cdn__ref="x:", cdn__supports="DDI")
    assert device_links(bench) == {"download-http": {"href": "x:"}}
    assert set(operator_links(bench)) == {"self", "md5sum-http"}


def test_operators_are_shown_links_that_no_request_made() -> None:
    bench = bench_with(cdn__port="", cdn__hostname="cdn")
    href = "http://cdn/DEFAULT/controller/v1//softwaremodules/1/artifacts/fw.bin"
    assert operator_links(bench)["download-http"] == {"href": href}
