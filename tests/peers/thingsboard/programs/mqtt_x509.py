"""The page's fourth program over MQTT: the device brings a certificate and logs in with it, over TLS.

python -m tests.peers.thingsboard.programs.mqtt_x509 PORT KEY SECRET NAME CA FOLDER
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.peers.thingsboard.programs.mqtt_client import new_client, provision, send_temperature


def main(port: str, key: str, secret: str, name: str, ca: str, folder: str) -> None:
    certificate, key_file = make_certificate(name, Path(folder))
    request = {"deviceName": name, "provisionDeviceKey": key, "provisionDeviceSecret": secret}
    asking, device = new_client(), new_client()
    asking.tls_set(ca)
    own = {"credentialsType": "X509_CERTIFICATE", "hash": certificate.read_text()}
    provision(asking, port, {**request, **own})
    device.tls_set(ca, str(certificate), str(key_file))
    send_temperature(device, port)


def make_certificate(name: str, folder: Path) -> tuple[Path, Path]:
    """Signed by its own key; the files of certificate and key."""
    key, begins = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC) - timedelta(hours=1)
    called = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder().subject_name(called).issuer_name(called).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(begins).not_valid_after(begins + timedelta(days=30))
    certificate = builder.sign(key, SHA256())
    certificate_file, key_file = folder / "device.pem", folder / "device.key"
    certificate_file.write_bytes(certificate.public_bytes(Encoding.PEM))
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return certificate_file, key_file


if __name__ == "__main__":
    main(*sys.argv[1:])
