"""`fleetrig doctor hawkbit` and what lies between: TLS, proxies, wrong addresses, certificates."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fleetrig.harness.doctor.contact import Trouble
from fleetrig.harness.doctor.reach import reach
from fleetrig.simulator.certificates.authority import CertificateAuthority
from tests.harness.doctor.conftest import Doctor, Server, expected, flat, server_of
from tests.harness.doctor.devices import DeviceAuthority, Pair
from tests.harness.doctor.proxies import Proxy
from tests.harness.served import Served

pytestmark = pytest.mark.slow

TT = ("--target-token", "env:TOKEN")
NOW_US = int(datetime.now(UTC).timestamp() * 1_000_000)
YEAR_US = int(timedelta(days=365).total_seconds() * 1_000_000)
HTML = (200, {"Content-Type": "text/html"}, b"<html>welcome</html>")


@pytest.fixture(autouse=True)
def known(server: Server) -> None:
    """The device is right; what is wrong lies elsewhere."""
    server.target("gw-17")
    server.configure(target=True)


@pytest.fixture(scope="module")
def authority() -> CertificateAuthority:
    return CertificateAuthority("Acme Server CA", NOW_US)


@pytest.fixture(scope="module")
def factory() -> DeviceAuthority:
    return DeviceAuthority()


@pytest.fixture
def files(tmp_path: Path, authority: CertificateAuthority, factory: DeviceAuthority) -> Path:
    """`ca.pem` of servers, `devices.pem` of devices, and `device.pem` with `device.key` for CN gw-17."""
    (tmp_path / "ca.pem").write_bytes(authority.certificate_pem)
    (tmp_path / "devices.pem").write_bytes(factory.certificate)
    write_device(tmp_path, factory.issue("gw-17", "client"))
    return tmp_path


def write_device(folder: Path, pair: Pair) -> None:
    (folder / "device.pem").write_bytes(pair.certificate)
    (folder / "device.key").write_bytes(pair.key)


def server_tls(folder: Path, authority: CertificateAuthority, *hosts: str) -> ssl.SSLContext:
    issued = authority.issue_server(hosts)
    both = folder / "server.pem"
    both.write_bytes(issued.key_pem + issued.certificate_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return context


def host_port(url: str) -> str:
    return url.partition("://")[2]


# -- TLS


def test_a_throw_away_ca_is_not_trusted_until_it_is_given(server: Server, doctor: Doctor) -> None:
    assert doctor(server.https, *TT) == (3, expected("untrusted"))
    assert doctor(server.https, *TT, "--ca", server.ca)[0] == 0

    code, page = doctor(server.https, *TT, "--insecure")

    assert code == 0
    assert "1 note      The server's certificate was accepted unchecked (--insecure)" in page


def test_http_and_https_mixed_up(server: Server, doctor: Doctor) -> None:
    assert doctor(server.https.replace("https:", "http:"), *TT) == (3, expected("is-tls"))
    assert doctor(server.url.replace("http:", "https:"), *TT) == (3, expected("not-tls"))


def test_a_certificate_of_another_host(
    server: Server, doctor: Doctor, files: Path, authority: CertificateAuthority
) -> None:
    tls = server_tls(files, authority, "hawkbit.test", "other.test")
    with Proxy(host_port(server.url), tls=tls).running() as address:
        code, page = doctor(f"https://{address}", *TT, "--ca", str(files / "ca.pem"))

    assert code == 3
    assert "The server's certificate is not for 127.0.0.1, but for hawkbit.test, other.test." in flat(page)


@pytest.mark.parametrize(("shift_us", "said"), [(-2 * YEAR_US, "expired on 20"), (YEAR_US, "is not valid before 20")])
def test_a_certificate_out_of_date(server: Server, doctor: Doctor, files: Path, shift_us: int, said: str) -> None:
    other_time = CertificateAuthority("Acme Server CA", NOW_US + shift_us)
    ca = files / "other-ca.pem"
    ca.write_bytes(other_time.certificate_pem)
    with Proxy(host_port(server.url), tls=server_tls(files, other_time, "127.0.0.1")).running() as address:
        refused, page = doctor(f"https://{address}", *TT, "--ca", str(ca))
        looked_on, pages = doctor(f"https://{address}", *TT, "--insecure")

    assert (refused, looked_on) == (3, 0)
    assert f"CAUSE     The server's certificate {said}" in page
    assert f"1 LIKELY    The server's certificate {said}" in pages


def test_nobody_listens(free_port: int, doctor: Doctor) -> None:
    code, page = doctor(f"http://127.0.0.1:{free_port}", *TT)

    assert code == 3
    assert "1 CAUSE     Nobody listens at http://127.0.0.1:PPPPP" in page


def test_a_name_that_is_none() -> None:
    assert reach("http://a..b:80", None, insecure=False).trouble is Trouble.UNKNOWN_HOST


def test_a_server_that_hangs_up(doctor: Doctor) -> None:
    with Proxy("127.0.0.1:1").running() as address:  # the proxy's own backend is not there: it ends the connection
        code, page = doctor(f"http://{address}", *TT)

    assert code == 3
    assert "speaks no HTTP (RemoteDisconnected)" in flat(page)


# -- wrong addresses


@pytest.mark.parametrize("path", ["/UI/login", "/rest/v1", "/DEFAULT/controller/v1/gw-17", "/"])
def test_a_page_instead_of_the_base(server: Server, doctor: Doctor, path: str) -> None:
    code, page = doctor(server.url + path, *TT)

    if path == "/":
        assert code == 0
    else:
        assert code == 3
        assert "change    Use http://127.0.0.1:PPPPP.\n" in page


def test_the_proxy_s_prefix_is_missing(server: Server, doctor: Doctor) -> None:
    with Proxy(host_port(server.url), prefix="/hawkbit").running() as address:
        lost, page = doctor(f"http://{address}", *TT)
        found = doctor(f"http://{address}/hawkbit", *TT)[0]

    assert (lost, found) == (3, 0)
    assert "change    Use http://127.0.0.1:PPPPP/hawkbit.\n" in page


def test_the_user_interface(doctor: Doctor) -> None:
    with Proxy(answers=HTML).running() as address:
        code, page = doctor(f"http://{address}", *TT)

    assert code == 3
    assert "is answered with 200 and an HTML page, the device's address with 200 and an HTML page." in flat(page)


def test_a_redirect_to_https(doctor: Doctor) -> None:
    with Proxy(answers=(301, {"Location": "https://hawkbit.test/"}, b"")).running() as address:
        code, page = doctor(f"http://{address}", *TT)

    assert code == 3
    assert "change    Use https from the beginning, here and on the device.\n" in page


# -- proxies


def test_a_proxy_that_drops_the_authorization_of_devices(server: Server, doctor: Doctor) -> None:
    def without_tokens(headers: dict[str, str], _: str) -> dict[str, str]:
        return {name: value for name, value in headers.items() if not value.startswith("TargetToken")}

    with Proxy(host_port(server.url), change=without_tokens).running() as address:
        code, page = doctor(f"http://{address}", *TT)

    assert code == 1
    assert "1 LIKELY    The tenant's ways in were changed " in page


def test_a_proxy_with_a_login_of_its_own(doctor: Doctor) -> None:
    challenge = {"WWW-Authenticate": 'Basic realm="works council"', "Content-Type": "text/html"}
    with Proxy(answers=(401, challenge, b"<html>")).running() as address:
        code, page = doctor(f"http://{address}", *TT)

    assert code == 1
    assert '1 LIKELY    This 401 asks for Basic realm="works council"' in page


def test_a_clock_that_is_off(server: Server, doctor: Doctor) -> None:
    with Proxy(host_port(server.url), date="Thu, 01 Jan 1970 00:00:10 GMT").running() as address:
        code, page = doctor(f"http://{address}", *TT)

    assert code == 0
    assert "1 note      The server's clock is " in page
    assert " days behind this machine's." in page


# -- certificates


def device(files: Path, *more: str) -> tuple[str, ...]:
    return ("--cert", str(files / "device.pem"), *more)


def with_key(files: Path) -> tuple[str, ...]:
    return device(files, "--key", str(files / "device.key"), "--ca", str(files / "ca.pem"))


def test_a_certificate_by_the_headers_of_a_proxy(server: Server, doctor: Doctor, files: Path) -> None:
    assert doctor(server.url, *device(files)) == (1, expected("certificate-mode-off"))

    server.configure(header=True, authority="Hawkbit;acme device ca")
    code, page = doctor(server.url, *device(files))

    assert code == 0
    assert "with X-Controller-Id: gw-17, X-Authority: Acme Device CA" in flat(page)
    assert "The server took the proxy's headers from this machine" in page


def test_the_headers_of_an_older_generation(tmp_path: Path, doctor: Doctor, files: Path) -> None:
    served_in = tmp_path / "old"
    served_in.mkdir()
    with Served(served_in, "--profile", "hawkbit=0.9") as served:
        old = server_of(served)
        old.target("gw-17")
        old.mgmt("PUT", "/system/configs", {"authentication.header.enabled": True})
        old.mgmt("PUT", "/system/configs", {"authentication.header.authority": "Acme Device CA"})

        assert doctor(old.url, *device(files))[0] == 0


def test_an_unknown_device_with_a_certificate_is_not_registered_unless_wanted(
    server: Server, doctor: Doctor, files: Path
) -> None:
    server.configure(header=True, authority="Acme Device CA")
    server.mgmt("DELETE", "/targets/gw-17")

    assert doctor(server.url, *device(files))[0] == 0
    assert not server.knows("gw-17")
    assert doctor(server.url, *device(files), "--try")[0] == 0
    assert server.knows("gw-17")


@pytest.fixture
def mutual(server: Server, files: Path, authority: CertificateAuthority) -> Proxy:
    """A proxy that wants client certificates of our CA; what it passes on is up to the test."""
    tls = server_tls(files, authority, "127.0.0.1")
    tls.verify_mode = ssl.CERT_REQUIRED
    tls.load_verify_locations(files / "devices.pem")
    server.configure(header=True, authority="Hawkbit")
    return Proxy(host_port(server.url), tls=tls)


def by_name(headers: dict[str, str], common_name: str) -> dict[str, str]:
    return {**headers, "X-Controller-Id": common_name, "X-Authority": "Hawkbit"}


def test_tls_is_done_as_the_device_does_it(mutual: Proxy, doctor: Doctor, files: Path) -> None:
    mutual.change = by_name
    with mutual.running() as address:
        without, page = doctor(f"https://{address}", *TT, "--ca", str(files / "ca.pem"))
        code, _ = doctor(f"https://{address}", *with_key(files))
        unchecked, note = doctor(f"https://{address}", *with_key(files)[:-2], "--insecure")

    assert (without, code, unchecked) == (3, 0, 0)
    assert "1 note      The server's certificate was accepted unchecked (--insecure)" in note
    assert "ends the TLS handshake without a client certificate" in flat(page)


def test_a_proxy_that_passes_no_headers(mutual: Proxy, doctor: Doctor, files: Path) -> None:
    with mutual.running() as address:
        code, page = doctor(f"https://{address}", *with_key(files), "--authority", "Hawkbit")

    assert code == 1
    assert "with the certificate of gw-17" in page
    assert "X-Controller-Id and X-Authority" in page


@pytest.mark.parametrize(
    ("purpose", "valid_days", "said"),
    [
        ("client", -10, "CAUSE The device's certificate expired on "),
        ("server", 365, "LIKELY The device's certificate is not for clients: its extendedKeyUsage lacks clientAuth."),
    ],
)
def test_a_certificate_that_the_proxy_refuses(
    mutual: Proxy, doctor: Doctor, files: Path, factory: DeviceAuthority, purpose: str, valid_days: int, said: str
) -> None:
    write_device(files, factory.issue("gw-17", purpose, valid_days=valid_days))
    with mutual.running() as address:
        code, page = doctor(f"https://{address}", *with_key(files))

    assert code == 1
    assert "refuses the device's certificate at the TLS handshake: sslv3 alert " in flat(page)
    assert said in flat(page)


def test_a_key_that_does_not_belong(doctor: Doctor, files: Path, factory: DeviceAuthority) -> None:
    (files / "device.key").write_bytes(factory.issue("x").key)

    code, page = doctor("https://127.0.0.1:1", *with_key(files))

    assert code == 4
    assert "are no PEM certificate and its unprotected key" in page
