"""What to do next when a hawkBit refuses the whole fleet."""

from __future__ import annotations

from typing import Final, Literal

Holding = Literal["nothing", "gateway token", "listed tokens", "registered tokens", "certificates"]
"""The credentials of the devices."""

NO_DOCUMENT: Final = "200 without a poll document"
"""Our word for what no hawkBit answers to a poll."""
IS_IT: Final = "is it a hawkBit server, and is the path in its address right?"
REFUSED_ALL: Final = {
    "nothing": (
        "hawkBit refuses devices without credentials: give --gateway-token env:NAME, --tokens F.csv, or --register"
    ),
    "gateway token": (
        "all devices were refused (HTTP 401): the gateway token differs from authentication.gatewaytoken.key of "
        "tenant {tenant}, or its mode is off (authentication.gatewaytoken.enabled)"
    ),
    "listed tokens": (
        "all devices were refused (HTTP 401): their tokens differ from those of the targets in tenant {tenant}, there "
        "are no such targets, or the mode is off (authentication.targettoken.enabled)"
    ),
    "certificates": (
        "all devices were refused (HTTP 401): the common names of their certificates differ from their controllerIds, "
        "tenant {tenant} does not list what the proxy tells of their authority (authentication.header.authority), or "
        "the mode is off (authentication.header.enabled)"
    ),
    "registered tokens": (
        "all devices were refused (HTTP 401) though their targets were just made: is the mode on "
        "(authentication.targettoken.enabled), and does the account belong to tenant {tenant}? "
        "A server may take 10 s to notice that a mode was switched on"
    ),
}


def refused_hint(first_answer: str, holding: Holding, url: str, tenant: str) -> str:
    """Advice if every device got this same first answer; empty if it is not a refusal."""
    match first_answer:
        case "400" if holding == "certificates":
            return (
                f"all devices were refused (HTTP 400) by what ends TLS at {url}: it does not trust the authority of "
                "their certificates, or they are out of date"
            )
        case "403" if holding == "certificates":
            return f"all devices were forbidden (HTTP 403): what ends TLS at {url} has seen no certificate"
        case "401":
            return REFUSED_ALL[holding].format(tenant=tenant)
        case "403":
            return f"all devices were forbidden (HTTP 403): does a proxy or a firewall stand before {url}?"
        case "404":
            return f"{url} knows no {tenant}/controller/v1 (HTTP 404): {IS_IT}"
        case answered if answered == NO_DOCUMENT:
            return f"{url} answers polls with something else than a poll document: {IS_IT}"
        case "301" | "302" | "303" | "307" | "308":
            return f"{url} sends devices on to another address (HTTP {first_answer}), and they do not follow: {IS_IT}"
        case "500" | "502" | "503" | "504":
            return f"{url} answers HTTP {first_answer} to everybody: is hawkBit running behind it?"
        case _:
            return ""
