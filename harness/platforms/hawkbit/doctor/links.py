"""Where the links lead that a device is given: behind a proxy often not to where the device came from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from fleetrig.harness.doctor.diagnosis import Diagnosis, Weight, printable
from fleetrig.harness.platforms.hawkbit.doctor.facts import Facts
from fleetrig.harness.servers.json_answer import read_json

USUAL_PORTS: Final = {"http": 80, "https": 443}


def links(facts: Facts) -> Iterator[Diagnosis]:
    """hawkBit writes scheme and host as it sees the request; devices follow links as they are given."""
    here = _place(facts.url)
    for href in _hrefs(facts):
        there = _place(href)
        path = urlsplit(facts.url).path.rstrip("/")
        if there == here and urlsplit(href).path.startswith(path + "/"):
            continue
        yield Diagnosis(
            "links-elsewhere", Weight.NOTE,
            f"The device asks at {printable(facts.url)}, but the links that it is given begin with "
            f"{printable('{}://{}:{}'.format(*there))}{'' if there != here else ', without ' + printable(path)}. "
            "It can poll, but do nothing that it is asked to, unless these links lead to the same server.",
            "Let the proxy pass on Host and send X-Forwarded-Proto and X-Forwarded-Port, and start hawkBit with "
            "server.forward-headers-strategy=NATIVE. A path before /TENANT needs FRAMEWORK and X-Forwarded-Prefix, and "
            "is missing from links to artifacts even then.",
        )  # fmt: skip
        return


def _place(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = None
    return parts.scheme, parts.hostname or "", port or USUAL_PORTS.get(parts.scheme, 0)


def _hrefs(facts: Facts) -> list[str]:
    try:
        found = read_json(facts.answer.body)["_links"] if facts.answer is not None else {}
        return [str(link["href"]) for link in found.values()]
    except (ValueError, TypeError, LookupError, AttributeError):
        return []
