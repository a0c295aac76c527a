"""What an operator does at hawkBit while a board waits on its line."""

from __future__ import annotations

from tests.peers.mgmt import Mgmt

TOKEN = "0123456789abcdef0123456789abcdef"


def make_gateway_token(url: str) -> str:
    """Allows gateways, and gives the token that they all show."""
    mgmt = Mgmt(url.removeprefix("http://"))
    mgmt.configure(
        **{"authentication.gatewaytoken.enabled": True, "authentication.gatewaytoken.key": TOKEN},
    )
    return TOKEN


def target_exists(url: str, controller_id: str) -> bool:
    return Mgmt(url.removeprefix("http://")).target(controller_id) is not None
