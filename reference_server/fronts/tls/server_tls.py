"""The TLS of one listener: which library does it, what it shows, and whom it trusts."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from functools import partial

from fleetrig.reference_server.fronts.accepting import ProtocolFactory
from fleetrig.reference_server.fronts.tls.client_auth import ClientAuth
from fleetrig.reference_server.fronts.tls.connection import TlsConnection
from fleetrig.reference_server.fronts.tls.connections import TlsConnections
from fleetrig.reference_server.fronts.tls.engine import TlsEngine
from fleetrig.reference_server.fronts.tls.handshakes import Handshakes
from fleetrig.reference_server.fronts.tls.judgement import CertificateJudgement
from fleetrig.reference_server.fronts.tls.remembered_chains import RememberedChains
from fleetrig.reference_server.fronts.tls.server_certificate import ServerCertificate
from fleetrig.reference_server.fronts.tls.stdlib_engine import StdlibEngine, stdlib_context
from fleetrig.simulator.contract.errors import ModelError, UsageError
from fleetrig.simulator.contract.handshake import ShownCertificate


class ServerTls:
    """Contexts are made when a certificate is first shown; only that of the own one is made at once."""

    def __init__(
        self,
        certificate_of: Callable[[ShownCertificate], ServerCertificate],
        client_auth: ClientAuth = ClientAuth.NONE,
        alpn: Sequence[str] = (),
    ) -> None:
        """`alpn`: the names of what is spoken, for those protocols that have one."""
        self.certificate_of = certificate_of
        """What DTLS shows too."""
        self._client_auth = client_auth
        self._alpn = alpn
        self._trusted: list[str] = []
        self._verifying: list[ssl.SSLContext] = []
        self._makers: dict[ShownCertificate, Callable[[CertificateJudgement], TlsEngine]] = {}
        self._handshakes: Handshakes | None = None
        self.connections: TlsConnections | None = None
        """Those of the listener since it opened last."""
        self._makers[ShownCertificate.OWN] = self._maker(ShownCertificate.OWN)

    def judge_by(self, handshakes: Handshakes) -> None:
        """Who is asked in handshakes, and who is told of them: before anything is accepted."""
        self._handshakes = handshakes

    def trust(self, pem: bytes) -> None:
        """Trusts authorities of clients, beside others, from the next handshake on (OPTIONAL and REQUIRED).

        Raises UsageError for what is no PEM with certificates."""
        text = pem.decode("ascii", "replace")
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(cadata=text)
        except (ssl.SSLError, ValueError) as error:
            raise UsageError("the authorities of clients are no PEM with certificates") from error
        self._trusted.append(text)
        for context in self._verifying:
            context.load_verify_locations(cadata=text)

    def around(self, listener: str, make: ProtocolFactory) -> ProtocolFactory:
        """What makes the protocol of a TCP connection; `make` makes the front's, after the handshake."""
        if self._handshakes is None:
            raise ModelError(f"nobody judges the handshakes of the listener {listener}")
        self.connections = TlsConnections(listener, self._handshakes, self._engine)
        return partial(TlsConnection, self.connections, make)

    def stop(self) -> None:
        """Ends connections that no front knows of."""
        if self.connections is not None:
            self.connections.stop()

    def _engine(self, shown: ShownCertificate, judgement: CertificateJudgement) -> TlsEngine:
        make = self._makers.get(shown)
        if make is None:
            make = self._makers[shown] = self._maker(shown)
        return make(judgement)

    def _maker(self, shown: ShownCertificate) -> Callable[[CertificateJudgement], TlsEngine]:
        certificate = self.certificate_of(shown)
        if self._client_auth is ClientAuth.ANY:
            # Only here: most servers ask for no certificates, and the library takes long to import.
            from fleetrig.reference_server.fronts.tls.judging_engine import JudgingEngine, judging_context

            return partial(JudgingEngine, judging_context(certificate, self._alpn))
        context = stdlib_context(certificate, self._client_auth, self._alpn)
        for text in self._trusted:
            context.load_verify_locations(cadata=text)
        self._verifying.append(context)
        chains = RememberedChains()
        return lambda _: StdlibEngine(context, chains)
