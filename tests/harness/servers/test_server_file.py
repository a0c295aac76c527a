"""`--against`: addresses, SERVER.yaml files, and what may be done on servers of others."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetrig.harness.platform import platform_of
from fleetrig.harness.platforms.hawkbit.admin import HawkbitAdmin
from fleetrig.harness.scenario_file.problems import FileMistakes
from fleetrig.harness.servers.control_page import ControlPage
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.harness.servers.server_file import platform_named_by, remote_server_from
from fleetrig.harness.servers.under_test import ServerUnderTest, server_under_test
from fleetrig.simulator.contract.errors import BrokenBench, UsageError


def server_of(against: object, *, may: bool = False, environ: dict[str, str] | None = None) -> RemoteServer:
    return remote_server_from(
        str(against), "hawkbit", may_change_settings=may, environ=environ or {}, ask=no_control_interface
    )


def no_control_interface(url: str) -> ControlPage | None:
    raise BrokenBench(f"nobody listens at {url}")


def under_test(server: RemoteServer) -> ServerUnderTest:
    return server_under_test(server, platform_of("hawkbit"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "server.yaml"


def test_an_address_is_administered_with_the_well_known_account() -> None:
    server = server_of("http://127.0.0.1:8080/")
    assert server.url == "http://127.0.0.1:8080"
    assert (server.account.user, server.account.password, server.tenant) == ("admin", "admin", "DEFAULT")
    assert server.can == {"http"}
    assert (server.listeners, server.is_file) == ({"http": "http://127.0.0.1:8080"}, False)
    met = under_test(server)
    assert met.can == {"hawkbit", "hawkbit.admin", "http"}
    assert not met.is_own
    assert met.add_fault is None
    assert (met.admin.url, met.admin.account) == (server.url, server.account)


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
    server = server_of(url, may=leave)
    assert server.may_change_settings is may
    admin = under_test(server).admin
    assert isinstance(admin, HawkbitAdmin)
    assert admin.may_change_settings is may


def test_a_path_is_sent_in_percent_encoded_utf_8() -> None:
    assert server_of("http://h/hawkbüt/a%20b[1]/").url == "http://h/hawkb%C3%BCt/a%20b%5B1%5D"


def test_a_server_file_says_more(file: Path) -> None:
    file.write_text(
        "platform: hawkbit\nhttps: https://h/hawkbit/\nuser: anna\npassword: env:PW\ntenant: ACME\nca: my-ca.pem\n"
        "control: 127.0.0.1:9\ncan: [hawkbit.fast_polling]\n"
    )

    server = server_of(file, environ={"PW": "s3cret"})

    assert server.account.password == "s3cret"
    assert (server.account.user, server.tenant, server.url) == ("anna", "ACME", "https://h/hawkbit")
    assert server.ca == file.parent / "my-ca.pem"
    assert server.control is not None
    assert server.control.url == "http://127.0.0.1:9"
    met = under_test(server)
    assert met.lacks(("hawkbit.fast_polling", "hawkbit", "https", "reference.faults", "mqtt")) == ["mqtt"]
    assert met.add_fault is not None


def test_a_listener_that_is_not_given_is_lacking(file: Path) -> None:
    file.write_text("http: 127.0.0.1:8080\n")
    assert under_test(server_of(file)).lacks(("http", "https")) == ["https"]
    file.write_text("http: 127.0.0.1:8080\nhttps: 127.0.0.1:8443\n")
    server = server_of(file)
    assert server.listeners == {"http": "http://127.0.0.1:8080", "https": "https://127.0.0.1:8443"}
    assert under_test(server).lacks(("http", "https")) == []


def test_a_server_file_may_leave_the_platform_to_the_command(file: Path) -> None:
    file.write_text("http: http://h\n")
    assert platform_named_by(str(file)) is None
    assert server_of(file).platform == "hawkbit"
    file.write_text("http: http://h\nplatform: hawkbit\n")
    assert platform_named_by(str(file)) == "hawkbit"
    assert platform_named_by("http://h", no_control_interface) is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("ftp://h", "'ftp://h' is no address of a server; write for instance http://127.0.0.1:8080"),
        ("http://", "is no address of a server"),
        ("http://a b:1", "is no address of a server"),
        ("http://a\tb:1", "is no address of a server"),
        ("http://a..b:1", "is no address of a server"),
        (f"http://{'a' * 64}:1", "is no address of a server"),
        ("http://h:99999", "is no address of a server: expected http://HOST:PORT with a port up to 65535"),
        ("http://h/?a=b", "is no address of a server"),
        ("http://h/\udcff", "a URL holds no control characters, and nothing that is no text"),
        ("http://admin:s3cret@h", "an address takes no user and password"),
        ("localhost:8080", "localhost:8080 is neither an address nor a file; write http://localhost:8080"),
        ("localhost", "neither an address nor a file; write for instance http://127.0.0.1:8080"),
        ("nowhere.yaml", "cannot read nowhere.yaml: there is no such file"),
    ],
)
def test_what_is_no_address(text: str, sentence: str) -> None:
    with pytest.raises(UsageError) as wrong:
        server_of(text)
    assert sentence in str(wrong.value)
    assert "s3cret" not in str(wrong.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("user: anna\n", "1:1: http is missing: the address of hawkBit's administration interface"),
        ("http: http://h\nuzer: anna\n", "2:1: 'uzer' is not known here; did you mean 'user'?"),
        ("url: http://h\n", "1:1: 'url' is not known here; known is platform, http, https, mqtt"),
        (
            "http: http://h\ncan: [hawkbit.fast_poling]\n",
            "reference.reasons, got 'hawkbit.fast_poling'; did you mean hawkbit.fast_polling?",
        ),
        (
            "platform: hawkbt\nhttp: http://h\n",
            "1:11: platform: expected hawkbit, thingsboard, hono or kura, got 'hawkbt'; did you mean hawkbit?",
        ),
        ("http: http://h\nmqtt: h:1883\n", "2:1: mqtt: hawkBit has no such listener; it has http, https"),
        ("http: ftp://h\n", "1:7: http: 'ftp://h' is no address of a server"),
        ("https: http://h\n", "1:8: https: 'http://h' is no https address"),
        ("http: http://h\nmqtt: '1883'\n", "2:7: mqtt: '1883' is no address; expected HOST:PORT"),
        ("http: http://anna:s3cret@h\n", "1:7: http: an address takes no user and password"),
        ("http: http://h\nuser: 'a:b'\n", "2:1: user: the user has a colon in its name, which a login cannot carry"),
        ('http: http://h\npassword: "a\\nb"\n', "2:1: password: the password holds a control character or a line end"),
        ("http: [\n", "a value is missing here, or a bracket"),
    ],
)
def test_mistakes_in_a_server_file_are_shown_where_they_stand(file: Path, text: str, sentence: str) -> None:
    file.write_text(text)
    with pytest.raises(FileMistakes) as wrong:
        server_of(file)
    assert sentence in str(wrong.value)


def test_a_password_of_the_environment_that_no_login_carries(file: Path) -> None:
    file.write_text("http: http://h\npassword: env:TWO_LINES\n")
    with pytest.raises(UsageError, match="env:TWO_LINES: the password holds a control character") as wrong:
        server_of(file, environ={"TWO_LINES": "s3cret\nb"})
    assert "s3cret" not in str(wrong.value)


def test_a_password_that_the_environment_has_not(file: Path) -> None:
    file.write_text("http: http://h\npassword: env:NOT_THERE\n")
    with pytest.raises(UsageError, match="the environment has no variable NOT_THERE"):
        server_of(file)


def test_the_line_has_an_account_of_its_own(file: Path) -> None:
    file.write_text("http: http://127.0.0.1:8080\nline: {user: line, password: env:LINE}\n")
    server = server_of(file, environ={"LINE": "hidden"})
    met = under_test(server)
    assert met.line is not None
    assert (met.line.account.user, met.line.account.password) == ("line", "hidden")
    assert (met.admin.account.user, met.line.url) == ("admin", met.admin.url)
    assert "hawkbit.line_account" in met.can


def test_without_a_line_there_is_no_such_account() -> None:
    met = under_test(server_of("http://127.0.0.1:8080"))
    assert met.line is None
    assert "hawkbit.line_account" not in met.can


@pytest.mark.parametrize(
    "text",
    [
        "http: http://127.0.0.1:1\npassword: 99887766\n",
        "http: http://127.0.0.1:1\npasswort: 99887766\n",
        "http: http://127.0.0.1:1\npassword: [99887766]\n",
        'http: http://127.0.0.1:1\npassword: "a, 99887766\\u0001"\n',
        "http: http://127.0.0.1:1\npassword: so 99887766: too\n",
        "http: http://127.0.0.1:1\nline: {user: l, password: 99887766, x: 1}\n",
        "http: http://admin:99887766@127.0.0.1:1\n",
        "serial,token\nA,99887766\n",
    ],
)
def test_a_mistake_beside_a_password_does_not_show_it(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(FileMistakes) as caught:
        server_of(file)
    assert f"{file}:" in str(caught.value)
    assert "99887766" not in str(caught.value)


def test_where_a_password_comes_from_is_shown(file: Path) -> None:
    file.write_text("http: http://127.0.0.1:1\nline: {user: l, password: env:LINE, x: 1}\n")
    with pytest.raises(FileMistakes, match="password: env:LINE, x: 1"):
        server_of(file)
