"""The sections of pages of help that have many options: command -> title -> its options, in the order of the page.

The commands of platforms share the sections of their verb, or have their own (`@examples(…, sections=…)`). What is
named nowhere stands below `Other options`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

Sections = Mapping[str, tuple[str, ...]]

_SCENARIOS: Final = ("--tag", "--set", "--policy-from", "--scenarios", "--allow-outside")
_SERVER: Final = ("--against", "--profile", "--ca", "--insecure", "--change-tenant-settings")
_VERDICT: Final = ("--strict", "--fail-on-skip", "--allow-skipped")
_OUTPUT: Final = ("--junit", "--html", "--trace", "--results", "--csv", "--json", "--verbose", "--quiet")

SECTIONS: Final[Mapping[str, Sections]] = {
    "run": {
        "Which scenarios": _SCENARIOS,
        "The server": _SERVER,
        "How they run": ("--time", "--engine", "--seed", "--repeat", "--jobs", "--fail-fast", "--shrink", "--tries"),
        "Devices and boards": ("--device-command", "--device-image", "--own-device", "--known", "--bench", "--desk"),
        "What counts as passed": _VERDICT,
        "What is shown and kept": _OUTPUT,
    },
    "load": {
        "Which scenario": _SCENARIOS,
        "The server": (*_SERVER, "--yes-this-host"),
        "The load": ("--users", "--seed", "--closed", "--source-address"),
        "More processes and machines": ("--workers", "--master", "--worker", "--bind"),
        "What is shown and kept": ("--web", "--metrics", *_OUTPUT),
    },
    "study": {
        "Which scenario": _SCENARIOS,
        "How it runs": ("--seeds", "--seed", "--jobs", "--cluster", "--resume", "--anew", "--yes"),
        "What is shown and kept": _OUTPUT,
    },
    "trace": {
        "Which trace": ("--run", "--results", "--follow", "--since"),
        "Whose events": ("--device", "--phase", "--lane"),
        "Which events": ("--kind", "--wrong", "--refused", "--status", "--grep"),
        "Which part": ("--around", "--context", "--from", "--to"),
        "How it looks": ("--clock", "--verbose", "--raw"),
    },
    "serve": {
        "What is served": ("--platform", "--profile", "--set", "--accounts", "--admin-password"),
        "Where it listens": ("--http", "--https", "--mqtt", "--mqtts", "--coap", "--coaps", "--registry", "--control"),
        "Certificates": ("--cert", "--key", "--client-ca"),
        "What is kept": ("--store", "--remove-leftovers", "--trace", "--ready-file"),
    },
    "conform": {
        "The server": (
            *_SERVER[:2], "--http", "--https", "--mqtt", "--mqtts", "--coap", "--coaps", "--account",
            "--provision-account", "--provision-app-id", *_SERVER[2:],
        ),
        "What counts as passed": _VERDICT,
        "What is shown and kept": ("--list", *_OUTPUT),
    },
    "doctor": {
        "The server": (
            "--against", "--over", "--server-name", "--tenant", "--user", "--password", "--no-account", "--insecure",
        ),
        "How to look": ("--try", "--first-contact", "--connect", "--within", "--json"),
    },
    "simulate": {
        "The server": (
            "--against", "--transport", "--tenant", "--wait", "--ca", "--insecure", "--change-tenant-settings",
        ),
        "The fleet": ("--count", "--serial", "--register", "--strategy", "--children", "--edge", "--spread", "--seed"),
        "Credentials": (
            "--credentials", "--gateway-token", "--tokens", "--certificates", "--provision-key", "--provision-secret",
            "--secret", "--account", "--user",
        ),
        "What devices do": (
            "--attribute", "--telemetry", "--event", "--at-most-once", "--commands", "--interval", "--poll-jitter",
            "--messages", "--timeout", "--install-time", "--confirmation", "--confirmation-after", "--reconnect",
            "--retry-interval", "--policy-from",
        ),
        "How long, and what is kept": ("--for", "--summary", *_OUTPUT),
    },
    "ca issue": {
        "For whom": ("--from", "--count", "--serial", "--server", "--subject"),
        "Keys and dates": ("--key", "--share-keys", "--days", "--not-before", "--not-after", "--expired"),
        "What is written": ("--out", "--csv", "--without-root"),
    },
    "board bring-up": {
        "The units": ("--records", "--part", "--revision", "--again"),
        "How far": ("--image", "--sha256", "--to"),
        "The server": (
            "--against", "--platform", "--transport", "--profile", "--authority", "--seen-within", "--ca",
            "--insecure", "--change-tenant-settings",
        ),
        "The bench": ("--bench", "--desk"),
    },
}  # fmt: skip


def sections_of(command: str) -> Sections:
    """Of a command, or of its verb."""
    return SECTIONS.get(command) or SECTIONS.get(command.partition(" ")[0]) or {}
