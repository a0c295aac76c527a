"""Misconfigurations as people make them: how each is set up, what the page has to say, and what its advice comes to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from tests.harness.doctor.thingsboard.bench import ALLOW, CHECK, KEY, NAME, OFF, SECRET, Bench

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
    Seeded(
        "null member",
        "null-member",
        in_the_document(document(username=None), "username is null", "Leave username out"),
        ("mqtt", "http", "coap"),
    ),
    Seeded(
        "object member", "member-no-value", in_the_document(document(token={}), "token is an object", "Leave token out")
    ),
    Seeded(
        "missing key",
        "missing-member",
        in_the_document(
            document(provisionDeviceKey=..., provisionKey=KEY),
            "has no provisionDeviceKey (but provisionKey, which means nothing)",
            "Send provisionDeviceKey",
        ),
        ("mqtt", "http", "coap"),
    ),
    Seeded(
        "missing secret",
        "missing-member",
        in_the_document(
            document(provisionDeviceSecret=...), "has no provisionDeviceSecret", "Send provisionDeviceSecret"
        ),
    ),
    Seeded(
        "empty secret",
        "empty-member",
        in_the_document(
            document(provisionDeviceSecret=""), "provisionDeviceSecret is empty", "the secret of its profile"
        ),
    ),
    Seeded(
        "type in lower case",
        "unknown-credentials-type",
        in_the_document(
            document(credentialsType="access_token"), "credentialsType is access_token", "Write ACCESS_TOKEN"
        ),
        ("http", "mqtt"),
    ),
    Seeded(
        "type misspelt",
        "unknown-credentials-type",
        in_the_document(document(credentialsType="MQTT_BASICS"), "credentialsType is MQTT_BASICS", "Write MQTT_BASIC"),
    ),
    Seeded(
        "type that is none",
        "unknown-credentials-type",
        in_the_document(document(credentialsType="FOO"), "credentialsType is FOO", "Use one of ACCESS_TOKEN"),
    ),
    Seeded(
        "blank name",
        "blank-name",
        in_the_document(document(deviceName="  "), "nothing but blanks", "Give the device a name"),
    ),
    Seeded(
        "name too long",
        "impossible-name",
        in_the_document(
            document(deviceName="x" * 300), "has 300 characters; a device may have 255", "Choose another name"
        ),
    ),
    Seeded(
        "markup",
        "impossible-name",
        in_the_document(document(deviceName="<b>x</b>"), "holds markup", "Choose another name"),
    ),
    Seeded(
        "password without user",
        "credentials-contradict",
        in_the_document(
            document(credentialsType="MQTT_BASIC", clientId="c", password="p"),
            "needs username too",
            "Send the members of one type",
        ),
    ),
    Seeded(
        "user of a token",
        "credentials-contradict",
        in_the_document(document(username="u"), "there is no token beside username", "Send the members of one type"),
    ),
)
WORD_ROWS: Final = (
    Seeded(
        "topic without slash",
        "wrong-topic",
        in_the_words(
            ("--topic", "provision/request"), "publishes to provision/request", "with the slash at its beginning"
        ),
        ("mqtt",),
    ),
    Seeded(
        "other response topic",
        "wrong-response-topic",
        in_the_words(("--response-topic", "/provision/response/+"), "subscribes to /provision/response/+", "exactly"),
        ("mqtt",),
    ),
    Seeded(
        "no provision session",
        "no-provision-session",
        in_the_words(
            ("--user-name", "Provision"),
            "The device connects as user Provision",
            "Connect with the user name provision",
        ),
        ("mqtt", "mqtts"),
    ),
    Seeded(
        "form content type",
        "form-content-type",
        in_the_words(("--content-type", "application/x-www-form-urlencoded"), "loses the body", "Send Content-Type"),
    ),
    Seeded(
        "trailing slash",
        "wrong-path",
        in_the_words(
            ("--path", "/api/v1/provision/"), "a slash at the end is another path", "POST to /api/v1/provision."
        ),
    ),
    Seeded(
        "documented reply",
        "reply-member",
        in_the_words(
            ("--reads", "provisionDeviceStatus"), "stands in the documentation and in no reply", "Read status."
        ),
        ("http", "mqtt"),
    ),
    Seeded(
        "documented token",
        "reply-member",
        in_the_words(("--reads", "accessToken"), "stands in the documentation", "Read credentialsValue."),
    ),
)
