"""Misconfigurations of certificates as people make them: how each is set up, what the page says, how it is cured."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fleetrig.simulator.certificates.authority import CertificateAuthority
from fleetrig.simulator.certificates.keys import KeyKind, key_pem
from fleetrig.simulator.certificates.profile import FOR_SERVERS, leaf_profile
from fleetrig.simulator.contract.identity import ClientCertificate
from tests.harness.doctor.hono.bench import (
    CA_DN,
    DEVICE_DN,
    TENANT,
    HonoBench,
    Options,
    authority,
    days,
    leaf_base64,
    leaf_of,
    x509_entry,
)


@dataclass(frozen=True)
class SickDevice:
    """A device that gets nowhere. `cure` does what the page says and gives the options of the device from then on."""

    options: Options
    cause: str
    """Part of what is said to be wrong."""
    change: str
    """Part of what is said to do."""
    cure: Callable[[], Options]


SeedDevice = Callable[[HonoBench], SickDevice]


@dataclass(frozen=True)
class SeededDevice:
    """`name`: of the diagnosis. `over`: the transports on which the device asks."""

    id: str
    name: str
    seed: SeedDevice
    over: tuple[str, ...] = ("https", "mqtts", "coaps")


def by_key(issuer: CertificateAuthority, name: str, **more: Any) -> dict[str, Any]:
    """A trusted authority that is given by its key, its name written by hand."""
    key = issuer.certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    begin, end = (
        f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in (issuer.certificate.not_valid_before_utc,
                                              issuer.certificate.not_valid_after_utc)
    )  # fmt: skip
    return {
        "subject-dn": name, "public-key": b64encode(key).decode(), "algorithm": "EC", "not-before": begin,
        "not-after": end, "auto-provisioning-enabled": True, **more,
    }  # fmt: skip


def renamed(wrong: str, cause: str) -> SeedDevice:
    """The authority's name was written by hand."""

    def seed(bench: HonoBench) -> SickDevice:
        ca = authority()
        bench.tenant({"trusted-ca": [by_key(ca, wrong)]})
        options = bench.cert(leaf_of(ca))

        def cure() -> Options:
            bench.trusting(ca)
            return options

        return SickDevice(options, cause, "Upload the authority as cert", cure)

    return seed


def leaf_as_authority(bench: HonoBench) -> SickDevice:
    ca = authority()
    leaf = leaf_of(ca)
    bench.tenant({"trusted-ca": [{"cert": leaf_base64(leaf), "auto-provisioning-enabled": True}]})
    options = bench.cert(leaf)

    def cure() -> Options:
        bench.trusting(ca)
        return options

    return SickDevice(options, "trusts the device's own certificate as an authority", "certificate of the issuer", cure)


def stranger(bench: HonoBench) -> SickDevice:
    ca = authority()
    bench.trusting(authority("CN=others,O=ACME"))
    options = bench.cert(leaf_of(ca))

    def cure() -> Options:
        bench.trusting(ca)
        return options

    return SickDevice(options, f'No tenant trusts the issuer of this certificate, "{CA_DN}"', "trusted-ca", cure)


def another_key(bench: HonoBench) -> SickDevice:
    old, new = authority(), authority()
    bench.trusting(old)
    options = bench.cert(leaf_of(new))

    def cure() -> Options:
        bench.tenant({"trusted-ca": [bench.entry(old), bench.entry(new)]})
        return options

    return SickDevice(options, "but with another key: the signature", "put its certificate into trusted-ca, too", cure)


def intermediate(bench: HonoBench) -> SickDevice:
    root = authority()
    below = root.authority_below("line 7")
    bench.trusting(root)
    options = bench.cert(leaf_of(below), below)

    def cure() -> Options:
        bench.trusting(below)
        return options

    return SickDevice(options, "trusts an authority further up", "certificate of the intermediate", cure)


def of_other_days(begin: float, end: float, cause: str) -> SeedDevice:
    """An authority that is given by key, so that its dates are what somebody wrote."""

    def seed(bench: HonoBench) -> SickDevice:
        ca = authority(validity=days(-400, 400))
        stated = days(begin, end)
        dates = {"not-before": f"{stated.begin:%Y-%m-%dT%H:%M:%SZ}", "not-after": f"{stated.end:%Y-%m-%dT%H:%M:%SZ}"}
        bench.tenant({"trusted-ca": [by_key(ca, CA_DN, **dates)]})
        options = bench.cert(leaf_of(ca, validity=days(-1, 30)))

        def cure() -> Options:
            bench.trusting(ca)
            return options

        return SickDevice(options, cause, "or correct the dates", cure)

    return seed


def leaf_of_other_days(begin: float, end: float, cause: str, change: str) -> SeedDevice:
    def seed(bench: HonoBench) -> SickDevice:
        ca = authority(validity=days(-400, 400))
        bench.trusting(ca)
        options = bench.cert(leaf_of(ca, validity=days(begin, end)))
        return SickDevice(options, cause, change, lambda: bench.cert(leaf_of(ca)))

    return seed


def for_servers(bench: HonoBench) -> SickDevice:
    ca = authority()
    bench.trusting(ca)
    good = leaf_of(ca)
    key = ca.keys.new_key(KeyKind.P256, "server's")
    profile = leaf_profile(x509_subject(good), days(-1, 30), FOR_SERVERS)
    made = ca.issue(profile, key.public_key(), "server's").public_bytes(Encoding.DER)
    options = bench.cert(ClientCertificate((made,), key_pem(key)))
    return SickDevice(options, "extendedKeyUsage without clientAuth", "clientAuth", lambda: bench.cert(good))


def x509_subject(leaf: ClientCertificate) -> Any:
    return x509.load_der_x509_certificate(leaf.chain[0]).subject


def ed25519_device(bench: HonoBench) -> SickDevice:
    ca = authority()
    bench.trusting(ca)
    options = bench.cert(leaf_of(ca, kind=KeyKind.ED25519))
    return SickDevice(options, "though HTTP and MQTT take it", "EC P-256", lambda: bench.cert(leaf_of(ca)))


def not_provisioning(bench: HonoBench) -> SickDevice:
    ca = authority()
    bench.trusting(ca, provisions=False)
    options = bench.cert(leaf_of(ca))

    def cure() -> Options:
        bench.trusting(ca)
        return options

    return SickDevice(options, "has auto-provisioning-enabled false", "Switch auto-provisioning on", cure)


def as_gateway_alone(bench: HonoBench) -> SickDevice:
    ca = authority()
    bench.trusting(ca, provisions=False, auto_provision_as_gateway=True)
    options = bench.cert(leaf_of(ca))

    def cure() -> Options:
        bench.trusting(ca, auto_provision_as_gateway=True)
        return options

    return SickDevice(options, "auto-provision-as-gateway alone does nothing", "Switch auto-provisioning on", cure)


def templated(cause: str, change: str, subject: str = DEVICE_DN, **members: Any) -> SeedDevice:
    """A template that does not go with the certificate; the cure is to have none."""

    def seed(bench: HonoBench) -> SickDevice:
        ca = authority()
        bench.trusting(ca, **members)
        options = bench.cert(leaf_of(ca, subject))

        def cure() -> Options:
            bench.trusting(ca)
            return options

        return SickDevice(options, cause, change, cure)

    return seed


def tenant_with(document: dict[str, Any], cause: str, change: str) -> SeedDevice:
    """A tenant that keeps its devices out; the cure is to leave that."""

    def seed(bench: HonoBench) -> SickDevice:
        ca = authority()
        bench.tenant({"trusted-ca": [bench.entry(ca)], **document})
        options = bench.cert(leaf_of(ca))

        def cure() -> Options:
            bench.trusting(ca)
            return options

        return SickDevice(options, cause, change, cure)

    return seed


def device_limit(bench: HonoBench) -> SickDevice:
    ca = authority()
    bench.tenant({"trusted-ca": [bench.entry(ca)], "registration-limits": {"max-devices": 1}})
    bench.device("d-0")
    options = bench.cert(leaf_of(ca))

    def cure() -> Options:
        bench.trusting(ca)
        return options

    return SickDevice(options, "may have 1 devices and has 1", "Raise max-devices", cure)


def device_id_taken(bench: HonoBench) -> SickDevice:
    ca = authority()
    bench.trusting(ca, auto_provisioning_device_id_template="dev-{{subject-cn}}")
    bench.device("dev-device-1")
    options = bench.cert(leaf_of(ca))

    def cure() -> Options:
        bench.device("dev-device-1", [x509_entry()])
        return options

    return SickDevice(options, "there is such a device already", "Give that device x509-cert credentials", cure)


def registered(change: Callable[[HonoBench], None], cause: str, advice: str, *, provisions: bool = False) -> SeedDevice:
    """A device that was registered by hand; the cure is to register it right."""

    def seed(bench: HonoBench) -> SickDevice:
        ca = authority()
        bench.trusting(ca, provisions=provisions)
        change(bench)
        options = bench.cert(leaf_of(ca))

        def cure() -> Options:
            bench.device("d-1", [x509_entry()])
            return options

        return SickDevice(options, cause, advice, cure)

    return seed


def one_label(bench: HonoBench) -> SickDevice:
    """Two tenants share the authority, and nothing says which one is meant."""
    ca = authority()
    for name in (TENANT, "beta"):
        bench.tenant({"trusted-ca": [bench.entry(ca)], "trust-anchor-group": "g"}, name)
    options = bench.cert(leaf_of(ca))

    def cure() -> Options:
        bench.tenant({}, "beta")
        return options

    return SickDevice(options, "2 tenants trust", "by TENANT.your-domain", cure)


CERTIFICATE_ROWS = (
    SeededDevice("a leaf as authority", "leaf-as-authority", leaf_as_authority),
    SeededDevice("name in the other order", "dn-order",
                 renamed("O=ACME,OU=iot,CN=devices", "the same parts in the other order")),
    SeededDevice("name in other case", "dn-case", renamed("CN=Devices,OU=iot,O=ACME", "upper and lower case")),
    SeededDevice("a stranger's authority", "issuer-unknown", stranger),
    SeededDevice("the authority made anew", "another-key", another_key),
    SeededDevice("an intermediate between", "not-direct-issuer", intermediate),
    SeededDevice("authority expired", "authority-expired", of_other_days(-300, -1, "expired on")),
    SeededDevice("authority not yet valid", "authority-not-yet-valid", of_other_days(1, 300, "is not valid before")),
    SeededDevice("leaf expired", "certificate-expired",
                 leaf_of_other_days(-30, -1, "certificate expired on", "Renew it")),
    SeededDevice("leaf not yet valid", "certificate-not-yet-valid",
                 leaf_of_other_days(1, 30, "certificate counts from", "set the clock")),
    SeededDevice("a server's certificate", "certificate-usage", for_servers, ("coaps",)),
    SeededDevice("Ed25519 over CoAP", "no-ec-key", ed25519_device, ("coaps",)),
    SeededDevice("no auto-provisioning", "auto-provisioning-off", not_provisioning),
    SeededDevice("as gateway alone", "auto-provisioning-off", as_gateway_alone, ("mqtts",)),
    SeededDevice("no OU for the auth-id", "auth-id-template-attribute", templated(
        "needs the Organizational Unit Name", "Issue the certificate with that attribute", "CN=device-1,O=ACME",
        auth_id_template="{{subject-ou}}-{{subject-cn}}")),
    SeededDevice("no OU for the device-id", "device-id-template-attribute", templated(
        "needs the Organizational Unit Name", "Issue the certificate with that attribute", "CN=device-1,O=ACME",
        auto_provisioning_device_id_template="{{subject-ou}}-{{subject-cn}}")),
    SeededDevice("a device-id with commas", "device-id-illegal", templated(
        "use {{subject-cn}} instead", "Change the template",
        auto_provisioning_device_id_template="x-{{subject-dn}}")),
    SeededDevice("a device-id with a blank", "device-id-illegal", templated(
        "not ' '", "Change the template", "CN=device 1,OU=iot,O=ACME",
        auto_provisioning_device_id_template="x-{{subject-cn}}"), ("mqtts",)),
    SeededDevice("tenant disabled", "tenant-disabled", tenant_with({"enabled": False}, "is disabled", "Enable it")),
    SeededDevice("adapter not listed", "adapter-not-listed",
                 tenant_with({"adapters": [{"type": "hono-amqp", "enabled": True}]}, "is not among them", "List")),
    SeededDevice("adapter listed, not enabled", "adapter-disabled", tenant_with(
        {"adapters": [{"type": f"hono-{one}"} for one in ("http", "mqtt", "coap")]}, "without enabled: true", "List")),
    SeededDevice("no room for devices", "device-limit", device_limit),
    SeededDevice("the device-id is taken", "device-id-taken", device_id_taken),
    SeededDevice("device disabled", "device-disabled", registered(
        lambda bench: bench.device("d-1", [x509_entry()], enabled=False), "The device d-1 is disabled", "Enable it")),
    SeededDevice("credentials disabled", "credentials-disabled", registered(
        lambda bench: bench.device("d-1", [{**x509_entry(), "enabled": False}]), "are disabled", "Enable them")),
    SeededDevice("credentials disabled, provisioning on", "credentials-disabled", registered(
        lambda bench: bench.device("d-1", [{**x509_entry(), "enabled": False}]), "(an orphan)", "Enable them",
        provisions=True), ("mqtts",)),
    SeededDevice("auth-id in the other order", "auth-id-order", registered(
        lambda bench: bench.device("d-1", [x509_entry("O=ACME,OU=iot,CN=device-1")]), "in the other order",
        "Register the credentials with this auth-id")),
    SeededDevice("auth-id in other case", "auth-id-case", registered(
        lambda bench: bench.device("d-1", [x509_entry("CN=Device-1,OU=iot,O=ACME")]), "upper and lower case",
        "Register the credentials with this auth-id"), ("https",)),
    SeededDevice("bound to a client id", "client-id-bound", registered(
        lambda bench: bench.device("d-1", [{**x509_entry(), "ext": {"client-id": "m-1"}}]), "client id m-1",
        "--client-id"), ("mqtts",)),
    SeededDevice("an authority of two tenants", "shared-authority", one_label),
)  # fmt: skip
