"""TLS: signing in by client certificate, and what a handshake must and must not agree to."""
import socket
import sqlite3
import ssl
import subprocess
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from setu_node import PATIENCE_S, Client, error_of, setu


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


class Maker:
    """Keys and certificates, by openssl."""

    def __init__(self, folder):
        self.folder = folder

    def key(self, name):
        key = self.folder / f"{name}.key"
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)
        return key

    def self_signed(self, name, *more, days=30):
        key, cert = self.key(name), self.folder / f"{name}.pem"
        openssl("req", "-x509", "-new", "-key", key, "-subj", f"/CN={name}", "-days", days, "-out",
                cert, *more)
        return cert, key

    def signed(self, name, ca, days=30, purpose="clientAuth"):
        """Negative `days`: expired."""
        key, cert = self.key(name), self.folder / f"{name}.pem"
        request, ext = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        ext.write_text(f"extendedKeyUsage={purpose}\nbasicConstraints=CA:FALSE\n")
        openssl("req", "-new", "-key", key, "-subj", f"/CN={name}", "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", ca[0], "-CAkey", ca[1], "-CAcreateserial",
                "-CAserial", self.folder / f"{name}.srl", "-days", days, "-extfile", ext, "-out",
                cert)
        return cert, key


LEAF = ("-addext", "basicConstraints=critical,CA:FALSE", "-addext", "extendedKeyUsage=clientAuth")


@pytest.fixture(scope="module")
def node(module_nodes, tmp_path_factory):
    n = module_nodes("certificates")
    make = n.make = Maker(tmp_path_factory.mktemp("certificates"))
    n.own_ca = (n.dir / "tls/ca.pem", n.dir / "tls/ca.key")
    n.other_ca = make.self_signed("other-ca")
    n.certs = {
        "of the node's CA": make.signed("by-node", n.own_ca),
        "of another CA": make.signed("by-other", n.other_ca),
        "self-signed": make.self_signed("alone", *LEAF),
        "without a purpose": make.self_signed(
            "plain", "-addext", "basicConstraints=critical,CA:FALSE"),
        "expired": make.signed("expired", n.own_ca, days=-1),
        "for servers": make.signed("server", n.own_ca, purpose="serverAuth"),
        "of a CA itself": n.other_ca,
    }
    return n.start()


KNOWN = ["of the node's CA", "of another CA", "self-signed", "without a purpose"]
UNFIT = ["expired", "for servers", "of a CA itself"]


@pytest.mark.parametrize("which", KNOWN)
def test_a_registered_certificate_signs_in(node, which):
    """What counts is the certificate that was registered, whoever signed it."""
    name = which.replace(" ", "-").replace("'", "")
    assert node.user(name, "contributor", None, None, "--cert", node.certs[which][0]) is None
    client = node.client(cert=node.certs[which])
    assert client.get("collections/").json() == {}
    # Asking in another way as well: the header decides.
    error_of(Client(node, "wrong", cert=node.certs[which]).request("GET", "collections/"), 401)
    node.cli("user revoke", name)
    error_of(client.request("GET", "collections/"), 401)


@pytest.mark.parametrize("which", KNOWN + UNFIT)
def test_an_unknown_certificate_does_not(node, which):
    """Also one that the node's own CA signed, and one that differs from a known one by its key."""
    before = node.rows()
    cert = node.certs[which]
    if which in KNOWN:
        cert = node.make.self_signed("stranger", *LEAF)
    answer = node.client(cert=cert).request("GET", "collections/")
    error_of(answer, 401)
    assert answer.headers["WWW-Authenticate"]
    assert node.rows() == before


@pytest.mark.parametrize("which", UNFIT)
def test_an_unfit_certificate_does_not(node, which):
    name, cert = "unfit-" + which.replace(" ", "-"), node.certs[which]
    words = ["--role", "reader", "--org", "home", "--nation", "IN"]
    added = node.cli("user add", name, *words, "--cert", cert[0], status=1)
    assert "--cert: the client certificate" in added.stderr and "sign in" in added.stderr
    # Nor one that was fit when it was registered.
    node.cli("user add", name, *words)
    der = ssl.PEM_cert_to_DER_cert(Path(cert[0]).read_text())
    with sqlite3.connect(node.dir / "setu.db") as db:
        db.execute("UPDATE user SET cert_hash = ? WHERE name = ?", (sha256(der).digest(), name))
    db.close()
    error_of(node.client(cert=cert).request("GET", "collections/"), 401)


def test_a_certificate_of_the_same_name_is_another(node):
    first = node.make.self_signed("twin", *LEAF)
    node.user("twin", "reader", None, None, "--cert", first[0])
    node.client(cert=first).get("collections/")
    second = node.make.self_signed("twin", *LEAF)
    error_of(node.client(cert=second).request("GET", "collections/"), 401)
    # One certificate, one user.
    again = node.cli("user add", "twin-two", "--role", "reader", "--org", "home", "--nation", "IN",
                     "--cert", node.make.folder / "twin.pem", status=0)
    assert again.returncode == 0
    error = node.cli("user add", "twin-three", "--role", "reader", "--org", "home", "--nation", "IN",
                     "--cert", node.make.folder / "twin.pem", status=1)
    assert "exists already" in error.stderr


def test_what_is_no_certificate_is_not_registered(node, tmp_path):
    words = ["--role", "reader", "--org", "home", "--nation", "IN", "--cert"]
    for n, text in enumerate(("", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n"
                              "-----END CERTIFICATE-----\n")):
        file = tmp_path / f"{n}.pem"
        file.write_text(text)
        ran = node.cli("user add", f"bad-{n}", *words, file, status=1)
        assert "--cert" in ran.stderr
    assert node.cli("user add", "bad-x", *words, tmp_path / "absent.pem", status=None).returncode > 0
    assert "bad-" not in setu("user", "list", node.dir).stdout


def handshake(node, **options):
    url = urlsplit(node.url)
    context = ssl.create_default_context(cafile=node.ca)
    for name, value in options.items():
        if name == "ciphers":
            context.set_ciphers(value)
        else:
            setattr(context, name, value)
    with socket.create_connection((url.hostname, url.port), PATIENCE_S) as plain:
        with context.wrap_socket(plain, server_hostname=url.hostname) as s:
            return s.version(), s.cipher()[0]


def test_tls_versions(node):
    assert handshake(node)[0] == "TLSv1.3"
    assert handshake(node, maximum_version=ssl.TLSVersion.TLSv1_2)[0] == "TLSv1.2"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("options", [
    {"minimum_version": ssl.TLSVersion.TLSv1, "maximum_version": ssl.TLSVersion.TLSv1_1,
     "ciphers": "ALL:@SECLEVEL=0"},
    {"maximum_version": ssl.TLSVersion.TLSv1_2, "ciphers": "AES128-SHA:AES256-SHA"},
    {"maximum_version": ssl.TLSVersion.TLSv1_2, "ciphers": "AES128-GCM-SHA256"},
    {"maximum_version": ssl.TLSVersion.TLSv1_2,
     "ciphers": "ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES128-SHA256"},
], ids=["TLS 1.1", "CBC", "no forward secrecy", "ECDHE with CBC"])
def test_weak_tls_is_refused(node, options):
    with pytest.raises((ssl.SSLError, ConnectionError)):
        handshake(node, **options)


def test_the_server_is_verified(node, tmp_path):
    """Its certificate is of its CA, for the names it was made for, and for no others."""
    for host in ("127.0.0.1", "localhost"):
        url = urlsplit(node.url)
        context = ssl.create_default_context(cafile=node.ca)
        with socket.create_connection((url.hostname, url.port), PATIENCE_S) as plain:
            context.wrap_socket(plain, server_hostname=host).close()
    for cafile, host in ((node.other_ca[0], "localhost"), (node.ca, "other.example")):
        context = ssl.create_default_context(cafile=cafile)
        with socket.create_connection((url.hostname, url.port), PATIENCE_S) as plain:
            with pytest.raises(ssl.SSLCertVerificationError):
                context.wrap_socket(plain, server_hostname=host)


def test_plain_http_to_the_tls_port(node):
    """Whoever forgets the s gets no answer in clear text, and the server goes on."""
    url = urlsplit(node.url)
    with socket.create_connection((url.hostname, url.port), PATIENCE_S) as s:
        s.sendall(b"GET /taxii2/ HTTP/1.1\r\nHost: x\r\n\r\n")
        try:
            assert not s.recv(4096).startswith(b"HTTP/")
        except ConnectionError:
            pass
    node.admin.get("collections/")
