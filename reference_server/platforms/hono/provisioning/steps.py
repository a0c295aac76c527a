"""The steps of a contact as the server lane tells them: an event of kind `step` each, in their order.

First contact with a certificate: tenant_found, certificate_validated, credentials_created, notification_sent,
registration_asserted, message_forwarded. A later one has credentials_found in place of the two in the middle.
"""

from __future__ import annotations

from enum import StrEnum


class Step(StrEnum):
    """Each is taken only when the one before has come out well; a refusal is where they end."""

    TENANT_FOUND = "tenant_found"
    """By the issuer of a certificate, by SNI, or by the user name."""
    CERTIFICATE_VALIDATED = "certificate_validated"
    """It was issued by one of the tenant's trusted authorities."""
    CREDENTIALS_FOUND = "credentials_found"
    CREDENTIALS_CREATED = "credentials_created"
    """With their device, of a certificate that nobody had."""
    SECRET_VERIFIED = "secret_verified"
    """A password, the signature of a token, or a pre-shared key that was handed over to be proved."""
    NOTIFICATION_SENT = "notification_sent"
    """Applications were told of a device that was provisioned, and the device is marked so."""
    EDGE_DEVICE_CREATED = "edge_device_created"
    """By a gateway that sends for it and may do that."""
    REGISTRATION_ASSERTED = "registration_asserted"
    """The device is registered and enabled, and its gateway may act for it."""
    MESSAGE_FORWARDED = "message_forwarded"
    """Telemetry or an event has gone to the applications."""
