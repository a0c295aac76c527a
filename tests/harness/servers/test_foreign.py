"""`--against`: addresses, SERVER.yaml files, and what may be done on servers of others."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme

from fleetrig.harness.platforms import platform_of
from fleetrig.harness.platforms.hawkbit.admin import HawkbitAdmin
from fleetrig.harness.scenario_file.problems import FileMistakes
from fleetrig.harness.servers.foreign import foreign_server, is_loopback, verify_with
from fleetrig.harness.servers.under_test import ServerUnderTest, server_under_test
from fleetrig.simulator.contract.errors import UsageError


def hawkbit_at(text: str, **options: Any) -> ServerUnderTest:
    return server_under_test(foreign_server(text, **options), platform_of("hawkbit"))


def test_an_address_is_administered_with_the_well_known_account() -> None:
    server = hawkbit_at("http://127.0.0.1:8080/", may_change_settings=False)
    assert server.url == "http://127.0.0.1:8080"
    assert (server.admin.account.user, server.admin.account.password, server.admin.tenant) == (
        "admin",
        "admin",
        "DEFAULT",
    )
    assert server.can == {"hawkbit", "hawkbit.admin"}
    assert not server.is_own
    assert server.add_fault is None


@pytest.mark.parametrize(
    ("url", "leave", "may"),
    [
        ("http://127.0.0.1:8080", False, True),
        ("http://localhost:8080", False, True),
        ("http://[::1]:8080", False, True),
        ("http://192.0.2.1:8080", False, False),
        ("https://hawkbit.example.com", False, False),
        ("https://hawkbit.example.com", True, True),
    ],
)
def test_settings_beyond_loopback_need_leave(url: str, leave: bool, may: bool) -> None:
    admin = hawkbit_at(url, may_change_settings=leave).admin
    assert isinstance(admin, HawkbitAdmin)
    assert admin.may_change_settings is may


@pytest.mark.parametrize(("host", "loopback"), [("127.8.8.8", True), ("localhost.example", False), ("0.0.0.0", False)])
def test_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_a_server_file_says_more(tmp_path: Path) -> None:
    path = tmp_path / "server.yaml"
    path.write_text("url: https://h/hawkbit\nuser: anna\npassword: env:PW\ntenant: ACME\ncan: [hawkbit.fast_polling]\n")

    server = hawkbit_at(str(path), may_change_settings=False, environ={"PW": "s3cret"})

    assert server.admin.account.password == "s3cret"
    assert (server.admin.account.user, server.admin.tenant, server.url) == ("anna", "ACME", "https://h/hawkbit")
    assert server.lacks(("hawkbit.fast_polling", "hawkbit", "reference.faults")) == ["reference.faults"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("ftp://h", "'ftp://h' is no address of a server; write for instance http://127.0.0.1:8080"),
        ("http://", "is no address of a server"),
        ("http://h:99999", "is no address of a server: Port out of range"),
        ("http://h/?a=b", "is no address of a server"),
        ("http://admin:s3cret@h", "an address takes no user and password"),
        ("localhost:8080", "localhost:8080 is neither an address nor a file"),
        ("nowhere.yaml", "cannot read nowhere.yaml: No such file or directory"),
    ],
)
def test_what_is_no_address(text: str, sentence: str) -> None:
    with pytest.raises(UsageError) as wrong:
        foreign_server(text, may_change_settings=False)
    assert sentence in str(wrong.value)
    assert "s3cret" not in str(wrong.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("user: anna\n", "url is missing"),
        ("url: http://h\nuzer: anna\n", "'uzer' is not known here; did you mean 'user'?"),
        ("url: http://h\ncan: [hawkbit.fast_poling]\n", "expected what a server can do: hawkbit, hawkbit.admin"),
        ("url: [\n", "a value is missing here, or a bracket"),
    ],
)
def test_mistakes_in_a_server_file_are_shown_where_they_stand(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "server.yaml"
    path.write_text(text)
    with pytest.raises(FileMistakes) as wrong:
        foreign_server(str(path), may_change_settings=False)
    assert sentence in str(wrong.value)


def test_a_password_that_the_environment_has_not(tmp_path: Path) -> None:
    path = tmp_path / "server.yaml"
    path.write_text("url: http://h\npassword: env:NOT_THERE\n")
    with pytest.raises(UsageError, match="the environment has no variable NOT_THERE"):
        foreign_server(str(path), may_change_settings=False, environ={})


def test_certificates_are_checked_as_said(tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(ca)
    assert verify_with(None, insecure=False) is True
    trusting = verify_with(ca, insecure=False)
    assert isinstance(trusting, ssl.SSLContext)
    assert trusting.verify_mode is ssl.CERT_REQUIRED
    blind = verify_with(None, insecure=True)
    assert isinstance(blind, ssl.SSLContext)
    assert blind.verify_mode is ssl.CERT_NONE


def test_a_ca_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    for path in (tmp_path / "ca.pem", tmp_path / "missing.pem"):
        with pytest.raises(UsageError, match="cannot read the CA"):
            verify_with(path, insecure=False)
    with pytest.raises(UsageError, match="contradict each other"):
        verify_with(tmp_path / "ca.pem", insecure=True)
