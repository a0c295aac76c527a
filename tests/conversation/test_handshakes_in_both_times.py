"""A gateway over TLS hears of a handshake what it hears in virtual time, from both sides of it."""

from __future__ import annotations

import time
from functools import partial

import pytest

from fleetrig.reference_server.platform import HandshakeAnswer
from fleetrig.reference_server.stores.interface import Blobs, Entropy, Store
from fleetrig.simulator.certificates.authority import CertificateAuthority
from fleetrig.simulator.contract.faults import Fault, FaultKind
from fleetrig.simulator.contract.handshake import ShownCertificate, TlsAlert
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.trace import Lane
from tests.conversation.both_times import MQTTS, Script, Story
from tests.conversation.echo_platform import EchoPlatform
from tests.conversation.test_both_times import kinds, same_in_both

pytestmark = pytest.mark.slow

TRIES_AGAIN = ["sent connect", "no_reply connect", "disconnected", "paused", "sent connect", "received connect"]


class RefusingFirst(EchoPlatform):
    """Refuses the first handshake in this way, and takes the next."""

    def __init__(
        self, alert: TlsAlert, store: Store, blobs: Blobs | None = None, entropy: Entropy | None = None
    ) -> None:
        super().__init__(store, blobs, entropy)
        self._alerts = [alert]

    def handshake(self, session: Session, now_us: int) -> HandshakeAnswer:
        return HandshakeAnswer(self._alerts.pop(), reason="not yet") if self._alerts else HandshakeAnswer()


@pytest.fixture(scope="module")
def plant() -> CertificateAuthority:
    return CertificateAuthority("plant", time.time_ns() // 1000)


@pytest.mark.parametrize("shown", list(ShownCertificate))
def test_a_certificate_of_the_server(shown: ShownCertificate) -> None:
    """The device is through at once where the certificate is good, and with the next one where it is not."""
    fault = Fault(FaultKind.SERVER_CERTIFICATE, times=1, parameters={"certificate": str(shown)})
    is_good = shown in (ShownCertificate.OWN, ShownCertificate.LONG_CHAIN)
    story = same_in_both(Script((fault,)), MQTTS)
    assert starts(story) == (["sent connect", "received connect"] if is_good else TRIES_AGAIN)
    assert [event.reason for event in story.of("no_reply")] == ([] if is_good else ["tls"])


@pytest.mark.parametrize("alert", [TlsAlert.UNKNOWN_CA, TlsAlert.CERTIFICATE_REVOKED, TlsAlert.SILENCE])
def test_a_certificate_of_the_device_that_is_refused(plant: CertificateAuthority, alert: TlsAlert) -> None:
    """In TLS 1.3 the device believes itself connected by then, and has sent its CONNECT."""
    script = Script(shows=plant.issue_client("gw-1"), platform=partial(RefusingFirst, alert))
    story = same_in_both(script, MQTTS)
    assert starts(story) == TRIES_AGAIN
    assert [event.reason for event in story.of("no_reply")] == ["tls"]
    assert [event.name for event in story.of("refused", lane=Lane.SERVER)] == [f"handshake: {alert}"]


def starts(story: Story) -> list[str]:
    """What it does until its first CONNACK."""
    told = kinds(story)
    return told[1 : told.index("received connect") + 1]
