"""Misconfigurations as people make them: how each is set up, what the page has to say, and what its advice comes to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from tests.harness.doctor.thingsboard.bench import ALLOW, CHECK, KEY, NAME, OFF, SECRET, TOKEN, Bench, later

Options = tuple[str, ...]
ASKS: Final[Options] = ("--provision-key", "env:KEY", "--provision-secret", "env:SECRET", "--name", NAME)
WRONG_SECRET: Final[Options] = ("--provision-key", "env:KEY", "--provision-secret", "env:OTHER", "--name", NAME)
WRONG_KEY: Final[Options] = ("--provision-key", "env:OTHER", "--provision-secret", "env:SECRET", "--name", NAME)
LOGS_IN: Final[Options] = ("--token", "env:TOKEN")
BASIC: Final[Options] = ("--client-id", "c17", "--user-name", "u17", "--mqtt-password", "env:PASSWORD")
PARTS: Final = {"clientId": "c17", "userName": "u17", "password": "pass-of-gw-17"}


@dataclass(frozen=True)
class Sick:
    """A device that gets nowhere. `cure` does what the page says and gives the options of the device from then on."""

    options: Options
    cause: str
    """Part of what is said to be wrong."""
    change: str
    """Part of what is said to do."""
    cure: Callable[[], Options]


Seed = Callable[[Bench], Sick]


@dataclass(frozen=True)
class Seeded:
    """`name`: of the diagnosis. `over`: the transports on which the device asks. `unseen`: what is said without an
    account, nothing where the device's own view is enough (the same name)."""

    id: str
    name: str
    seed: Seed
    over: tuple[str, ...] = ("http",)
    unseen: str = ""


def document(**changes: object) -> dict[str, object]:
    """A request. A member that is `...` is left out."""
    members: Mapping[str, object] = {
        "deviceName": NAME, "provisionDeviceKey": KEY, "provisionDeviceSecret": SECRET, **changes,
    }  # fmt: skip
    return {name: value for name, value in members.items() if value is not ...}


# -- key, secret, strategy


def wrong_key(bench: Bench) -> Sick:
    bench.profile("Model A")
    return Sick(WRONG_KEY, "No device profile has this provisionDeviceKey", "Give the device the key", lambda: ASKS)


def key_and_secret_swapped(bench: Bench) -> Sick:
    bench.profile("Model A")
    swapped = ("--provision-key", "env:SECRET", "--provision-secret", "env:KEY", "--name", NAME)
    return Sick(swapped, "stand in each other's place", "Swap them", lambda: ASKS)


def key_in_other_case(bench: Bench) -> Sick:
    bench.profile("Model A", key=KEY.upper())

    def cure() -> Options:
        bench.profile("Model A")
        return ASKS

    return Sick(ASKS, 'That of "Model A" is the same in case only', "Give the device the key", cure)


def wrong_secret(bench: Bench) -> Sick:
    bench.profile("Model A")
    return Sick(
        WRONG_SECRET, 'The secret of profile "Model A" is another one', "Give the device the secret", lambda: ASKS
    )


def secret_of_another_profile(bench: Bench) -> Sick:
    bench.profile("Model A")
    bench.profile("Model B", key="key-of-model-b", secret="another-secret-89abcdef")
    cause = 'The secret is that of profile "Model B", the key that of "Model A"'
    return Sick(WRONG_SECRET, cause, "whose key it has", lambda: ASKS)


def disabled(bench: Bench) -> Sick:
    bench.profile("Model A", OFF)

    def cure() -> Options:
        bench.profile("Model A", ALLOW)
        return ASKS

    return Sick(ASKS, 'Provisioning is disabled in profile "Model A"', "Choose a strategy in the profile", cure)


def key_of_a_chain_profile(bench: Bench) -> Sick:
    bench.chain_profile("Chained")
    profile = next(one for one in bench.profiles() if one["name"] == "Chained")
    file = bench.request_file(document(provisionDeviceKey=profile["provisionDeviceKey"]))

    def cure() -> Options:
        bench.profile("Model A")
        return ASKS

    return Sick(file, "which provisions by certificate chains", "the key of another profile", cure)


# -- the name


def name_in_another_profile(bench: Bench) -> Sick:
    bench.profile("Model A")
    bench.device(profile="Model Z")

    def cure() -> Options:
        bench.delete()
        return ASKS

    return Sick(
        ASKS, 'There is a device gw-17 already, in profile "Model Z" (it was never provisioned)', "delete the old", cure
    )


def provisioned_before(bench: Bench) -> Sick:
    bench.profile("Model A")
    bench.device(profile="Model A")
    bench.set_state("provisioned")

    def cure() -> Options:
        bench.delete()
        return ASKS

    return Sick(ASKS, "in this profile (it was provisioned before)", "with new credentials", cure)


def not_listed(bench: Bench) -> Sick:
    bench.profile("Model A", CHECK)
    bench.device("GW-17", "Model A")

    def cure() -> Options:
        bench.device(NAME, "Model A", "another-token-0123")
        return ASKS

    return Sick(ASKS, "There is a device 'GW-17'.", "Correct the name, or list the device", cure)


def no_name(bench: Bench) -> Sick:
    bench.profile("Model A", CHECK)
    bench.device(profile="Model A")
    return Sick(ASKS[:4], "The request names no device", "Send deviceName", lambda: ASKS)


def listed_in_another_profile(bench: Bench) -> Sick:
    bench.profile("Model A", CHECK)
    bench.device(profile="Model Z")

    def cure() -> Options:
        bench.delete()
        bench.device(profile="Model A")
        return ASKS

    return Sick(ASKS, 'Device gw-17 is in profile "Model Z", the key is that of "Model A"', "or move it", cure)


def asked_again(bench: Bench) -> Sick:
    bench.profile("Model A", CHECK)
    bench.device(profile="Model A")
    bench.set_state("provisioned")

    def cure() -> Options:
        bench.delete_state()
        return ASKS

    return Sick(ASKS, "Device gw-17 is provisioned already", "Delete the attribute", cure)


def state_of_another_value(bench: Bench) -> Sick:
    bench.profile("Model A", CHECK)
    bench.device(profile="Model A")
    bench.set_state("reset")

    def cure() -> Options:
        bench.delete_state()
        return ASKS

    return Sick(ASKS, "provisionState of gw-17 is reset, a value", "another value does not help", cure)


# -- the document


def in_the_document(request: Mapping[str, object], cause: str, change: str) -> Seed:
    """Wrong by its form; the cure is the right document."""

    def seed(bench: Bench) -> Sick:
        bench.profile("Model A")
        return Sick(bench.request_file(request), cause, change, lambda: bench.request_file(document()))

    return seed


def in_the_words(options: Options, cause: str, change: str) -> Seed:
    """The device's program asks otherwise than the server listens; the cure is to leave that."""

    def seed(bench: Bench) -> Sick:
        bench.profile("Model A")
        return Sick((*ASKS, *options), cause, change, lambda: ASKS)

    return seed


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


REQUEST_ROWS: Final = (
    Seeded("wrong key", "unknown-key", wrong_key, ("http", "mqtt", "coap"), "key-or-secret"),
    Seeded("wrong secret", "secret-differs", wrong_secret, ("http", "mqtt", "mqtts", "coap", "coaps"), "key-or-secret"),
    Seeded("swapped", "key-and-secret-swapped", key_and_secret_swapped, unseen="key-or-secret"),
    Seeded("key in other case", "unknown-key", key_in_other_case, unseen="key-or-secret"),
    Seeded("secret of another profile", "secret-differs", secret_of_another_profile, unseen="key-or-secret"),
    Seeded("strategy disabled", "provisioning-disabled", disabled, ("mqtt", "http"), "key-or-secret"),
    Seeded("key of a chain profile", "chain-profile-key", key_of_a_chain_profile, unseen="chain-profile-key"),
    Seeded("name in another profile", "already-exists", name_in_another_profile, ("http", "mqtt"), "name-unseen"),
    Seeded("provisioned before", "already-exists", provisioned_before, unseen="name-unseen"),
    Seeded("not on the list", "not-listed", not_listed, ("coap", "http"), "name-unseen"),
    Seeded("no name", "no-name", no_name, unseen="name-unseen"),
    Seeded("listed in another profile", "other-profile", listed_in_another_profile, unseen="name-unseen"),
    Seeded("asked again", "already-provisioned", asked_again, ("mqtt", "http", "coap"), "name-unseen"),
    Seeded("state of another value", "unknown-state", state_of_another_value, unseen="name-unseen"),
)
FORM_ROWS: Final = (
    Seeded("null member", "null-member", in_the_document(document(username=None), "username is null", "Leave username out"),
           ("mqtt", "http", "coap")),
    Seeded("object member", "member-no-value", in_the_document(document(token={}), "token is an object", "Leave token out")),
    Seeded("missing key", "missing-member", in_the_document(
        document(provisionDeviceKey=..., provisionKey=KEY), "has no provisionDeviceKey (but provisionKey, which means nothing)",
        "Send provisionDeviceKey"), ("mqtt", "http", "coap")),
    Seeded("missing secret", "missing-member", in_the_document(
        document(provisionDeviceSecret=...), "has no provisionDeviceSecret", "Send provisionDeviceSecret")),
    Seeded("empty secret", "empty-member", in_the_document(
        document(provisionDeviceSecret=""), "provisionDeviceSecret is empty", "the secret of its profile")),
    Seeded("type in lower case", "unknown-credentials-type", in_the_document(
        document(credentialsType="access_token"), "credentialsType is access_token", "Write ACCESS_TOKEN"), ("http", "mqtt")),
    Seeded("type misspelt", "unknown-credentials-type", in_the_document(
        document(credentialsType="MQTT_BASICS"), "credentialsType is MQTT_BASICS", "Write MQTT_BASIC")),
    Seeded("type that is none", "unknown-credentials-type", in_the_document(
        document(credentialsType="FOO"), "credentialsType is FOO", "Use one of ACCESS_TOKEN")),
    Seeded("blank name", "blank-name", in_the_document(document(deviceName="  "), "nothing but blanks", "Give the device a name")),
    Seeded("name too long", "impossible-name", in_the_document(
        document(deviceName="x" * 300), "has 300 characters; a device may have 255", "Choose another name")),
    Seeded("markup", "impossible-name", in_the_document(document(deviceName="<b>x</b>"), "holds markup", "Choose another name")),
    Seeded("password without user", "credentials-contradict", in_the_document(
        document(credentialsType="MQTT_BASIC", clientId="c", password="p"), "needs username too", "Send the members of one type")),
    Seeded("user of a token", "credentials-contradict", in_the_document(
        document(username="u"), "there is no token beside username", "Send the members of one type")),
)  # fmt: skip
WORD_ROWS: Final = (
    Seeded("topic without slash", "wrong-topic", in_the_words(
        ("--topic", "provision/request"), "publishes to provision/request", "with the slash at its beginning"), ("mqtt",)),
    Seeded("other response topic", "wrong-response-topic", in_the_words(
        ("--response-topic", "/provision/response/+"), "subscribes to /provision/response/+", "exactly"), ("mqtt",)),
    Seeded("no provision session", "no-provision-session", in_the_words(
        ("--user-name", "Provision"), "The device connects as user Provision", "Connect with the user name provision"),
        ("mqtt", "mqtts")),
    Seeded("form content type", "form-content-type", in_the_words(
        ("--content-type", "application/x-www-form-urlencoded"), "loses the body", "Send Content-Type")),
    Seeded("trailing slash", "wrong-path", in_the_words(
        ("--path", "/api/v1/provision/"), "a slash at the end is another path", "POST to /api/v1/provision.")),
    Seeded("documented reply", "reply-member", in_the_words(
        ("--reads", "provisionDeviceStatus"), "stands in the documentation and in no reply", "Read status."), ("http", "mqtt")),
    Seeded("documented token", "reply-member", in_the_words(
        ("--reads", "accessToken"), "stands in the documentation", "Read credentialsValue.")),
)  # fmt: skip
LOGIN_ROWS: Final = (
    Seeded("another token", "token-differs", token_in_the_environment("OTHER", "is another one: the device has"),
           ("mqtt", "http", "coap", "mqtts", "coaps"), "credentials-unknown"),
    Seeded("deleted", "no-such-device", token_of_a_deleted_device, ("mqtt", "http"), "credentials-unknown"),
    Seeded("nobody has it", "nobody-has-it", token_that_nobody_has, ("mqtt", "coap"), "credentials-unknown"),
    Seeded("token to MQTT_BASIC", "other-credentials-type", token_to_a_device_with_basic, ("mqtt", "http"), "credentials-unknown"),
    Seeded("token to X.509", "other-credentials-type", token_to_a_device_with_a_certificate, ("mqtt",), "credentials-unknown"),
    Seeded("basic password", "password-differs", basic_part("password", "other", "The password of device gw-17 is another"),
           ("mqtt",), "credentials-unknown"),
    Seeded("basic client id", "client-id-differs", basic_part("clientId", "C17", "in case only: the device sends c17"),
           ("mqtt", "mqtts"), "credentials-unknown"),
    Seeded("basic user name", "user-name-differs", basic_part("userName", "x", "the device sends u17, the server has x"),
           ("mqtt",), "credentials-unknown"),
    Seeded("client id provision", "captured-by-provision", client_id_provision, ("mqtt",)),
    Seeded("no gateway", "no-gateway", gateway_that_is_none, ("mqtt",)),
)  # fmt: skip
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
