import datetime as dt
import ipaddress
import ssl
from pathlib import Path

import pytest

from storage.images import ImageStore
from storage.ledger import Ledger
from tasks.acquire.web.downloader import Manners, download
from tasks.acquire.web.fetch import Job
from tasks.acquire.web.limits import Limits

LIMITS = {
    "max_file_bytes": 2**20,
    "connect_seconds": 0.8,
    "read_seconds": 0.8,
    "total_seconds": 2.0,
}


class Downloads:
    """Downloads into a folder of its own; rows by address."""

    def __init__(self, root: Path) -> None:
        self.images = ImageStore(root / "images")
        self.path = root / "ledger.sqlite"
        self.advanced = 0

    def __call__(self, addresses, *, manners=None, threads=32, previous=None, **limits):
        urls = list(addresses)
        with Ledger.opened(self.path) as ledger:
            download(
                [Job.to(url, (previous or {}).get(url)) for url in urls],
                ledger,
                self.images,
                allowed=Limits(**(LIMITS | limits)),
                manners=Manners(**({"allow_private_addresses": True} | (manners or {}))),
                advance=self._advance,
                threads=threads,
            )
            return ledger.rows(urls)

    def one(self, url, **options):
        return self([url], **options)[url]

    def _advance(self, count):
        self.advanced += count


@pytest.fixture
def downloads(tmp_path) -> Downloads:
    return Downloads(tmp_path)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    """A folder with an authority's `ca.pem`, and TLS contexts of two servers it has signed."""
    return Certificates(tmp_path_factory.mktemp("tls"))


class Certificates:
    def __init__(self, folder: Path) -> None:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        def make(name, issuer, issuer_key, key, days, *, authority):
            now = dt.datetime.now(dt.UTC)
            builder = (
                x509.CertificateBuilder()
                .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
                .issuer_name(
                    issuer or x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
                )
                .public_key(key.public_key())
                .serial_number(x509.random_serial_number())
                .not_valid_before(now - dt.timedelta(days=100))
                .not_valid_after(now + dt.timedelta(days=days))
                .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            )
            if not authority:
                address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
                builder = builder.add_extension(
                    x509.SubjectAlternativeName([address]), critical=False
                )
            return builder.sign(issuer_key, hashes.SHA256())

        authority_key = ec.generate_private_key(ec.SECP256R1())
        authority = make("ca", None, authority_key, authority_key, 10, authority=True)
        self.bundle = folder / "ca.pem"
        self.bundle.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
        self.contexts = {}
        for name, days in (("valid", 10), ("expired", -1)):
            key = ec.generate_private_key(ec.SECP256R1())
            one = make(name, authority.subject, authority_key, key, days, authority=False)
            pem = folder / f"{name}.pem"
            pem.write_bytes(
                key.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                )
                + one.public_bytes(serialization.Encoding.PEM)
            )
            self.contexts[name] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.contexts[name].load_cert_chain(pem)
