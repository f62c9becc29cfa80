"""A certificate authority for tests, and what it signs: good, expired, or for another name."""

import datetime
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAY = datetime.timedelta(days=1)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


@dataclass
class Authority:
    """Args:
    folder: Where its certificate and those it signs are put, as PEM.
    """

    folder: Path
    name: str = "authority"

    def __post_init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        unsigned = _certificate(self.name, self.name, self._key.public_key()).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        self.file = self.folder / f"{self.name}.pem"
        self.file.write_bytes(_pem(unsigned.sign(self._key, hashes.SHA256())))

    def server(self, *names: str, is_expired: bool = False) -> ssl.SSLContext:
        """For a server of these names or addresses."""
        key = ec.generate_private_key(ec.SECP256R1())
        unsigned = _certificate(self.name, names[0], key.public_key(), is_expired=is_expired).add_extension(
            x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False
        )
        both = self.folder / f"{names[0]}-{is_expired}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        both.write_bytes(private + _pem(unsigned.sign(self._key, hashes.SHA256())))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(both)
        return context


def _certificate(
    issuer: str, subject: str, key: ec.EllipticCurvePublicKey, *, is_expired: bool = False
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    begin, end = (now - 9 * _DAY, now - _DAY) if is_expired else (now - _DAY, now + 9 * _DAY)
    return (
        x509.CertificateBuilder()
        .subject_name(_named(subject))
        .issuer_name(_named(issuer))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
    )


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
