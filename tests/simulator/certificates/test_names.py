"""Names in certificates: every one that can be there is there unchanged, every other is told."""

from __future__ import annotations

from contextlib import suppress

import pytest
from cryptography import x509
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleetrig.simulator.certificates.names import alternative, common_name_in, distinguished_name, named

STEADY = settings(
    max_examples=150, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
TEXTS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), min_size=1, max_size=64)


@STEADY
@given(st.text(st.characters(blacklist_categories=["Cs"]), max_size=80))
def test_a_common_name_is_itself_or_refused(text: str) -> None:
    if 0 < len(text.encode()) <= 64 and "\0" not in text:
        assert common_name_in(named(text)) == text
        return
    with pytest.raises(ValueError, match="common name"):
        named(text)


@STEADY
@given(st.lists(TEXTS.filter(lambda text: len(text.encode()) <= 64), min_size=1, max_size=4))
def test_a_distinguished_name_is_read_as_it_is_written(values: list[str]) -> None:
    oids = [x509.NameOID.ORGANIZATION_NAME, x509.NameOID.LOCALITY_NAME, x509.NameOID.ORGANIZATIONAL_UNIT_NAME]
    oids.append(x509.NameOID.COMMON_NAME)
    name = x509.Name([x509.NameAttribute(oid, value) for oid, value in zip(oids, values, strict=False)])
    assert distinguished_name(name.rfc4514_string()) == name


@pytest.mark.slow
@STEADY
@given(st.text(max_size=40))
def test_any_text_is_a_name_or_told(text: str) -> None:
    with suppress(ValueError):
        assert isinstance(distinguished_name(text), x509.Name)


@pytest.mark.parametrize(
    ("text", "oids"),
    [
        ("CN=device-1,OU=iot,O=ACME", ["2.5.4.10", "2.5.4.11", "2.5.4.3"]),
        ("serialNumber=77,CN=x", ["2.5.4.3", "2.5.4.5"]),
        ("CN=x,emailAddress=a@b.c", ["1.2.840.113549.1.9.1", "2.5.4.3"]),
        ("2.5.4.12=title,CN=x", ["2.5.4.3", "2.5.4.12"]),
    ],
)
def test_the_last_part_comes_first(text: str, oids: list[str]) -> None:
    assert [one.oid.dotted_string for one in distinguished_name(text)] == oids


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("device-1", "is no name such as"),
        ("XX=1", "is no name such as"),
        ("2.5.4.5=#13023737", "values in hex"),
        ("CN=a\\00b", "NUL"),
        (f"CN={'x' * 65}", "is no name such as"),
        ("C=Germany", "is no name such as"),
    ],
)
def test_what_is_no_name_is_told(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        distinguished_name(text)


@pytest.mark.parametrize(
    "host", ["localhost", "a.example", "*.a.example", "127.0.0.1", "::1", "[::1]", "under_score.x"]
)
def test_hosts_are_names_or_addresses(host: str) -> None:
    assert str(alternative(host).value) == host.strip("[]")


@pytest.mark.parametrize("host", ["", " ", "a b", "http://a", "a:80", "ä.example", "a..b", "a\0", "x" * 300, "a/24"])
def test_what_is_no_host_is_told(host: str) -> None:
    with pytest.raises(ValueError, match="neither a host name nor an address"):
        alternative(host)
