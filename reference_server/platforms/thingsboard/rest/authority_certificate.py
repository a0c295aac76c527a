"""A profile with a certificate authority: its key is the hash of the authority's certificate (section 2.4)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from fleetrig.reference_server.platforms.thingsboard.state.credential_forms import sha3, stripped_certificate
from fleetrig.reference_server.platforms.thingsboard.state.records import DeviceProfile, ProvisionType

CERTIFICATE: Final = re.compile(r"-----BEGIN CERTIFICATE-----\s*.*?\s*-----END CERTIFICATE-----", re.DOTALL)


def with_authority(profile: DeviceProfile) -> DeviceProfile:
    """The authority in the form in which it is kept, and the key that it gives; other profiles as they are."""
    configuration = profile.provision_configuration
    secret = profile.provision_secret
    if configuration.get("type") != ProvisionType.CERTIFICATE_CHAIN or secret is None:
        return profile
    kept = _kept(secret)
    data = {
        **(profile.profile_data or {}),
        "provisionConfiguration": {
            "certificateRegExPattern": None,
            "allowCreateNewDevicesByX509Certificate": False,
            **configuration,
            "provisionDeviceSecret": kept,
        },
    }
    return replace(profile, profile_data=data, provision_device_key=sha3(stripped_certificate(_first(kept))))


def _kept(pem: str) -> str:
    """One certificate without armour and line ends; of several each keeps its armour, on lines of their own."""
    if len(CERTIFICATE.findall(pem)) < 2:
        return stripped_certificate(pem)
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    joined = pem.replace("\n", "").replace("\r", "")
    return joined.replace(begin, f"{begin}\n").replace(end, f"\n{end}\n").strip()


def _first(pem: str) -> str:
    found = CERTIFICATE.search(pem)
    return found[0] if found else pem
