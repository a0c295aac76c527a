"""Templates of auth-ids and device-ids: the values of a subject, literally or as Java puts them in (spec 0.2)."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from fleetrig.reference_server.platforms.hono.provisioning.identity_template import TemplateFailed, expanded
from fleetrig.reference_server.platforms.hono.state.generations import Profile
from fleetrig.simulator.contract.delivery import Ending
from tests.reference_server.platforms.hono.adapter_rig import TENANT, AdapterRig, authority, chain, of_profile
from tests.reference_server.platforms.hono.http_requests import answered, ask, post, reasons_of, said

CN, OU, O = NameOID.COMMON_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME, NameOID.ORGANIZATION_NAME  # noqa: E741


def name(*rdns: tuple[x509.ObjectIdentifier, str] | list[tuple[x509.ObjectIdentifier, str]]) -> x509.Name:
    """In the order of the encoding: the root comes first."""
    groups = [one if isinstance(one, list) else [one] for one in rdns]
    made = [x509.RelativeDistinguishedName([x509.NameAttribute(*pair) for pair in group]) for group in groups]
    return x509.Name(made)


SUBJECT = name((O, "ACME, Inc."), (OU, "iot"), (CN, "device-1"))


@pytest.mark.parametrize(
    ("template", "subject", "result"),
    [
        ("dev-{{subject-cn}}", SUBJECT, "dev-device-1"),
        ("{{subject-o}}/{{subject-ou}}", SUBJECT, "ACME, Inc./iot"),
        ("{{subject-dn}}", SUBJECT, r"CN=device-1,OU=iot,O=ACME\, Inc."),
        ("{{subject-ou}}", name((OU, "root"), (OU, "leaf"), (CN, "x")), "root"),
        ("{{subject-cn}}-{{subject-cn}}", name((CN, "x")), "x-x"),
        ("{{subject-ou}}", name([(NameOID.USER_ID, "z"), (OU, "p")]), "p"),
        ("{{subject-cn}}", name((CN, "$1\\b")), "$1\\b"),
    ],
)
def test_what_stands_in_a_template(template: str, subject: x509.Name, result: str) -> None:
    assert expanded(template, subject) == result


def test_what_the_subject_lacks() -> None:
    with pytest.raises(TemplateFailed, match="needs the Common Name") as failed:
        expanded("{{subject-cn}}", name((O, "ACME")))
    assert not failed.value.is_crash


def test_an_rdn_of_two_attributes_counts_as_the_first_by_the_alphabet() -> None:
    both = name([(O, "acme"), (CN, "x")])
    assert expanded("{{subject-cn}}", both) == "x"
    with pytest.raises(TemplateFailed):
        expanded("{{subject-o}}", both)


@pytest.mark.parametrize(
    ("value", "result"),
    [
        ("a\\b", "ab"),
        ("a\\\\b", "a\\b"),
        ("plain", "plain"),
        ("a$0b", "a{{subject-cn}}b"),
        ("a${x}b", None),
        ("a$", None),
        ("a\\", None),
    ],
)
def test_java_takes_values_for_replacements(value: str, result: str | None) -> None:
    if result is not None:
        assert expanded("{{subject-cn}}", name((CN, value)), as_java=True) == result
        return
    with pytest.raises(TemplateFailed) as failed:
        expanded("{{subject-cn}}", name((CN, value)), as_java=True)
    assert not failed.value.is_crash


def test_java_crashes_over_a_group() -> None:
    with pytest.raises(TemplateFailed, match=r"^No group 1$") as failed:
        expanded("{{subject-cn}}", name((CN, "a$1b")), as_java=True)
    assert failed.value.is_crash


# In a tenant


def provisioning(profile: Profile = Profile.CURRENT, **members: str) -> AdapterRig:
    rig = of_profile(profile)
    rig.trusting(authority(), **members)
    return rig


def contact(rig: AdapterRig, subject: str = "CN=device-1,O=ACME") -> tuple[int, str]:
    delivery = ask(rig, "POST", "/telemetry", certificates=chain(authority(), subject))
    if delivery.ending is Ending.HELD:
        rig.after(1)
        return 202, ""
    return said(answered(delivery))


def test_a_device_id_by_template() -> None:
    """A18, A19, A22."""
    rig = provisioning(auto_provisioning_device_id_template="dev-{{subject-cn}}")
    assert contact(rig) == (202, "")
    assert rig.device_ids() == ["dev-device-1"]
    rig.api("DELETE", f"devices/{TENANT}/dev-device-1")
    rig.device("dev-device-1", ext={"by": "hand"})
    assert contact(rig) == (409, "Error Code: 409")
    assert rig.shown(f"devices/{TENANT}/dev-device-1")["ext"] == {"by": "hand"}
    rig.api("DELETE", f"devices/{TENANT}/dev-device-1")
    assert contact(rig) == (202, "")
    assert rig.device_ids() == ["dev-device-1"]


@pytest.mark.parametrize("template", ["x-{{subject-dn}}", "{{subject-o}}"])
def test_an_id_that_is_none(template: str) -> None:
    """A20: nothing is made."""
    rig = provisioning(auto_provisioning_device_id_template=template)
    subject = "CN=device-1,O=A B"
    assert contact(rig, subject) == (400, "Error Code: 400")
    assert rig.join(1, certificates=chain(authority(), subject)) == ["1 CONNACK 5", "1 closed"]
    assert rig.device_ids() == []
    assert "is no device id" in reasons_of(rig)[0]


@pytest.mark.parametrize(("profile", "status"), [(Profile.CURRENT, 400), (Profile.JDBC, 500), (Profile.MONGODB, 500)])
def test_a_certificate_that_lacks_what_the_device_id_needs(profile: Profile, status: int) -> None:
    """A21."""
    rig = provisioning(profile, auto_provisioning_device_id_template="{{subject-ou}}")
    assert contact(rig) == (status, f"Error Code: {status}")
    assert rig.device_ids() == []


def test_an_auth_id_by_template() -> None:
    """A23, A24: what is not in the template may change."""
    rig = provisioning(auth_id_template="id-{{subject-cn}}")
    contact(rig)
    (device_id,) = rig.device_ids()
    assert rig.shown(f"credentials/{TENANT}/{device_id}")[0]["auth-id"] == "id-device-1"
    assert contact(rig, "CN=device-1,OU=other,O=ACME") == (202, "")
    assert rig.device_ids() == [device_id]


def test_a_certificate_that_lacks_what_the_auth_id_needs() -> None:
    rig = provisioning(auth_id_template="{{subject-ou}}")
    assert contact(rig) == (401, "malformed credentials")
    assert rig.join(1, certificates=chain(authority())) == ["1 CONNACK 4", "1 closed"]


@pytest.mark.parametrize(
    ("profile", "subject", "expected", "auth_id"),
    [
        (Profile.CURRENT, "CN=cost $1,O=A", (202, ""), "cost $1"),
        (Profile.JDBC, "CN=cost $1,O=A", (500, "No group 1"), None),
        (Profile.CURRENT, r"CN=a\\b,O=A", (202, ""), "a\\b"),
        (Profile.JDBC, r"CN=a\\b,O=A", (202, ""), "ab"),
        (Profile.JDBC, r"CN=ACME\, Inc.", (202, ""), "ACME, Inc."),
    ],
)
def test_letters_that_mean_something_to_java(
    profile: Profile, subject: str, expected: tuple[int, str], auth_id: str | None
) -> None:
    """A47."""
    rig = provisioning(profile, auth_id_template="{{subject-cn}}")
    assert contact(rig, subject) == expected
    found = [rig.shown(f"credentials/{TENANT}/{one}")[0]["auth-id"] for one in rig.device_ids()]
    assert found == ([] if auth_id is None else [auth_id])


def test_a_name_as_java_prints_it() -> None:
    """A43, A44; the vectors of the names are tested with them."""
    rig = provisioning()
    contact(rig, r"CN=a\=b\,c,O=ACME")
    (device_id,) = rig.device_ids()
    assert rig.shown(f"credentials/{TENANT}/{device_id}")[0]["auth-id"] == r"CN=a\=b\,c,O=ACME"
    assert post(rig, certificates=chain(authority(), r"CN=a\=b\,c,O=ACME")).status == 202
