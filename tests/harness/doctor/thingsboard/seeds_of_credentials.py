"""Credentials and certificates that let nobody in: how each is set up, and what the page has to say."""

from __future__ import annotations

from typing import Final

from tests.harness.doctor.thingsboard.bench import NAME, TOKEN, Bench, later
from tests.harness.doctor.thingsboard.seeds import BASIC, LOGS_IN, PARTS, Options, Seed, Seeded, Sick

# -- logins


def token_in_the_environment(variable: str, cause: str) -> Seed:
    def seed(bench: Bench) -> Sick:
        bench.device()
        return Sick(("--token", f"env:{variable}", "--name", NAME), cause, "Put the server's token", lambda: LOGS_IN)

    return seed


def token_of_a_deleted_device(bench: Bench) -> Sick:
    def cure() -> Options:
        bench.device()
        return LOGS_IN

    return Sick((*LOGS_IN, "--name", NAME), "it was deleted, renamed, or never made", "be provisioned anew", cure)


def token_that_nobody_has(bench: Bench) -> Sick:
    bench.device(token="another-token-0123")

    def cure() -> Options:
        bench.set_credentials("ACCESS_TOKEN", credentials_id=TOKEN)
        return LOGS_IN

    return Sick(LOGS_IN, "No device of this tenant has these credentials", "Manage credentials", cure)


def token_to_a_device_with_basic(bench: Bench) -> Sick:
    bench.device()
    bench.set_credentials("MQTT_BASIC", PARTS)

    def cure() -> Options:
        bench.set_credentials("ACCESS_TOKEN", credentials_id=TOKEN)
        return LOGS_IN

    return Sick(
        (*LOGS_IN, "--name", NAME), "of the type MQTT_BASIC, and presents ACCESS_TOKEN", "Let the device use", cure
    )


def token_to_a_device_with_a_certificate(bench: Bench) -> Sick:
    bench.device()
    ca = bench.authority("Acme CA")
    leaf = ca.issue_client(NAME)
    bench.set_credentials("X509_CERTIFICATE", ca.certificate_pem.decode())
    del leaf

    def cure() -> Options:
        bench.set_credentials("ACCESS_TOKEN", credentials_id=TOKEN)
        return LOGS_IN

    return Sick(
        (*LOGS_IN, "--name", NAME), "of the type X509_CERTIFICATE, and presents", "change its credentials", cure
    )


def basic_part(part: str, other: str, cause: str) -> Seed:
    def seed(bench: Bench) -> Sick:
        bench.device()
        bench.set_credentials("MQTT_BASIC", {**PARTS, part: other})

        def cure() -> Options:
            bench.set_credentials("MQTT_BASIC", PARTS)
            return BASIC

        return Sick((*BASIC, "--name", NAME), cause, "Correct the", cure)

    return seed


def client_id_provision(bench: Bench) -> Sick:
    bench.device()
    sick = (*LOGS_IN, "--client-id", "provision")
    return Sick(sick, "every CONNECT is a session that provisions", "Use another client id", lambda: LOGS_IN)


def gateway_that_is_none(bench: Bench) -> Sick:
    bench.device()

    def cure() -> Options:
        device = next(one for one in bench.devices() if one["name"] == NAME)
        bench.asked("POST", "/device", {**device, "additionalInfo": {"gateway": True}})
        return (*LOGS_IN, "--gateway")

    return Sick((*LOGS_IN, "--gateway"), "is no gateway to the server", "Set additionalInfo.gateway", cure)


# -- certificates


def leaf_alone(bench: Bench) -> Sick:
    ca = bench.chain_profile("Chained")
    leaf = ca.issue_client(NAME)
    cause = 'The device shows its certificate alone. Profile Chained is backed by "Chained CA"'
    return Sick(bench.cert_files(leaf), cause, "Append it to the device's chain", lambda: bench.cert_files(leaf, ca))


def common_name(bench: Bench) -> Sick:
    ca = bench.chain_profile("Chained", r"(.*)\.acme")
    sick, sound = ca.issue_client("press-4"), ca.issue_client("gw-17.acme")
    cause = "finds nothing in the common name press-4"
    return Sick(
        bench.cert_files(sick, ca), cause, "with a common name of that form", lambda: bench.cert_files(sound, ca)
    )


def pattern_without_group(bench: Bench) -> Sick:
    ca = bench.chain_profile("Chained", r".*")
    files = bench.cert_files(ca.issue_client(NAME), ca)

    def cure() -> Options:
        bench.chain_profile_of("Chained", ca)
        return files

    return Sick(files, "has no group", "Put what is the name in brackets: (.*)", cure)


def create_not_allowed(bench: Bench) -> Sick:
    ca = bench.chain_profile("Chained", creates=False)
    files = bench.cert_files(ca.issue_client(NAME), ca)

    def cure() -> Options:
        bench.chain_profile_of("Chained", ca, creates=True)
        return files

    return Sick(files, "The tenant has no device gw-17", "let the profile create new devices", cure)


def holds_a_token(bench: Bench) -> Sick:
    ca = bench.chain_profile("Chained")
    bench.device(profile="Chained")
    leaf = ca.issue_client(NAME)
    files = bench.cert_files(leaf, ca)

    def cure() -> Options:
        bench.set_credentials("X509_CERTIFICATE", leaf.chain_pem.decode())
        return files

    return Sick(files, "Device gw-17 has credentials of the type ACCESS_TOKEN", "Change its credentials to X.509", cure)


def chain_to_another_profile(bench: Bench) -> Sick:
    ca = bench.chain_profile("Chained")
    bench.device(profile="Model Z")
    files = bench.cert_files(ca.issue_client(NAME), ca)

    def cure() -> Options:
        bench.delete()
        return files

    return Sick(files, 'Device gw-17 is in profile "Model Z"', "Move the device", cure)


def expired(bench: Bench) -> Sick:
    ca = bench.chain_profile("Chained")
    sick, sound = ca.issue_client(NAME, expired=True), ca.issue_client(NAME)
    return Sick(bench.cert_files(sick, ca), "certificate expired on", "Renew it", lambda: bench.cert_files(sound, ca))


def not_yet_valid(bench: Bench) -> Sick:
    ca = bench.chain_profile("Chained")
    sick, sound = ca.issue_client(NAME, validity=later(3)), ca.issue_client(NAME)
    return Sick(
        bench.cert_files(sick, ca), "is not valid before", "correct the clock", lambda: bench.cert_files(sound, ca)
    )


def not_signed_by_the_next(bench: Bench) -> Sick:
    ca, stranger = bench.chain_profile("Chained"), bench.authority("Stranger CA")
    leaf = stranger.issue_client(NAME)
    sound = ca.issue_client(NAME)
    cause = 'is not signed by the next one ("Chained CA")'
    return Sick(bench.cert_files(leaf, ca), cause, "Put the chain in order", lambda: bench.cert_files(sound, ca))


def other_authority(bench: Bench) -> Sick:
    bench.chain_profile("Chained")
    stranger = bench.authority("Stranger CA")
    files = bench.cert_files(stranger.issue_client(NAME), stranger)

    def cure() -> Options:
        bench.chain_profile_of("Strangers", stranger)
        return files

    return Sick(
        files, 'its chain ends with "Stranger CA", which backs no device profile', "make a profile for this", cure
    )


def no_chain_profile(bench: Bench) -> Sick:
    ca = bench.authority("Acme CA")
    files = bench.cert_files(ca.issue_client(NAME), ca)

    def cure() -> Options:
        bench.chain_profile_of("Chained", ca)
        return files

    return Sick(files, "no device profile provisions by certificate chains", "make a profile with the strategy", cure)


LOGIN_ROWS: Final = (
    Seeded(
        "another token",
        "token-differs",
        token_in_the_environment("OTHER", "is another one: the device has"),
        ("mqtt", "http", "coap", "mqtts", "coaps"),
        "credentials-unknown",
    ),
    Seeded("deleted", "no-such-device", token_of_a_deleted_device, ("mqtt", "http"), "credentials-unknown"),
    Seeded("nobody has it", "nobody-has-it", token_that_nobody_has, ("mqtt", "coap"), "credentials-unknown"),
    Seeded(
        "token to MQTT_BASIC",
        "other-credentials-type",
        token_to_a_device_with_basic,
        ("mqtt", "http"),
        "credentials-unknown",
    ),
    Seeded(
        "token to X.509",
        "other-credentials-type",
        token_to_a_device_with_a_certificate,
        ("mqtt",),
        "credentials-unknown",
    ),
    Seeded(
        "basic password",
        "password-differs",
        basic_part("password", "other", "The password of device gw-17 is another"),
        ("mqtt",),
        "credentials-unknown",
    ),
    Seeded(
        "basic client id",
        "client-id-differs",
        basic_part("clientId", "C17", "in case only: the device sends c17"),
        ("mqtt", "mqtts"),
        "credentials-unknown",
    ),
    Seeded(
        "basic user name",
        "user-name-differs",
        basic_part("userName", "x", "the device sends u17, the server has x"),
        ("mqtt",),
        "credentials-unknown",
    ),
    Seeded("client id provision", "captured-by-provision", client_id_provision, ("mqtt",)),
    Seeded("no gateway", "no-gateway", gateway_that_is_none, ("mqtt",)),
)
CHAIN_ROWS: Final = (
    Seeded("leaf alone", "authority-not-shown", leaf_alone, ("mqtts",), "certificate-unknown"),
    Seeded("common name", "common-name", common_name, ("mqtts",), "certificate-unknown"),
    Seeded("pattern without group", "pattern-without-group", pattern_without_group, ("mqtts",), "certificate-unknown"),
    Seeded("create not allowed", "create-not-allowed", create_not_allowed, ("mqtts",), "certificate-unknown"),
    Seeded("holds a token", "other-credentials-type", holds_a_token, ("mqtts",), "certificate-unknown"),
    Seeded("chain to another profile", "other-profile", chain_to_another_profile, ("mqtts",), "certificate-unknown"),
    Seeded("expired", "leaf-dates", expired, ("mqtts",), "leaf-dates"),
    Seeded("not yet valid", "leaf-dates", not_yet_valid, ("mqtts",), "leaf-dates"),
    Seeded("not signed by the next", "chain-broken", not_signed_by_the_next, ("mqtts",), "chain-broken"),
    Seeded("other authority", "other-authority", other_authority, ("mqtts",), "certificate-unknown"),
    Seeded("no chain profile", "no-chain-profile", no_chain_profile, ("mqtts",), "certificate-unknown"),
)
