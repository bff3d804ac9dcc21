import ipaddress
import socket

import pytest

from storage.statuses import DownloadStatus as S
from tasks.acquire.web.addresses import RefusedAddress, refusal, resolve
from tests.tasks.acquire.web.hostile import picture, redirect, serving

PRIVATE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "198.18.0.1", "::1",
    "fc00::1", "fec0::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::",
    "240.0.0.1", "192.0.2.1",
]  # fmt: skip
NEVER = [
    "169.254.169.254", "0.0.0.0", "0.1.2.3", "224.0.0.1", "255.255.255.255", "::", "fe80::1",
    "ff02::1", "fd00:ec2::254", "100.100.100.200", "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::",
]  # fmt: skip
PUBLIC = ["93.184.215.14", "8.8.8.8", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::808:808"]


def refused(text, *, allow_private):
    return bool(refusal(ipaddress.ip_address(text), allow_private=allow_private))


@pytest.mark.parametrize("text", PRIVATE)
def test_private_addresses_need_to_be_allowed(text):
    assert refused(text, allow_private=False)
    assert not refused(text, allow_private=True)


@pytest.mark.parametrize("text", NEVER)
def test_some_addresses_are_never_allowed(text):
    assert refused(text, allow_private=False)
    assert refused(text, allow_private=True)


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_are_allowed(text):
    assert not refused(text, allow_private=False)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1", "0x7f000001", "2130706433", "0177.0.0.1", "localhost", "[::1]"]
)
def test_every_spelling_of_this_machine_is_refused(host):
    with pytest.raises(RefusedAddress):
        resolve(host, 80, allow_private=False)


def test_a_private_address_is_a_row_and_nothing_is_sent(downloads):
    with serving({"*": picture()}) as server:
        row = downloads.one(server.url("/x.jpg"), manners={"allow_private_addresses": False})
        assert row.status == S.PRIVATE_ADDRESS
        assert not row.status.may_succeed_later
        assert server.connections == 0


@pytest.fixture
def names(monkeypatch):
    """Host name -> the answers that a resolver gives for it, one after the other."""
    table: dict[str, list[str]] = {}
    real = socket.getaddrinfo

    def getaddrinfo(host, port, *args, **options):
        if host not in table:
            return real(host, port, *args, **options)
        answers = table[host]
        return real(answers.pop(0) if len(answers) > 1 else answers[0], port, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return table


def test_the_address_that_is_connected_to_is_the_one_that_was_checked(names):
    from tasks.acquire.web.connections import connect

    # The name leads to the world when it is looked up first, and home the second time.
    names["rebinding.example"] = ["192.0.2.1", "127.0.0.1"]
    assert resolve("rebinding.example", 80, allow_private=True)[0][1][0] == "192.0.2.1"
    with serving({"*": picture()}) as server:
        port = int(server.host.partition(":")[2])
        with pytest.raises(RefusedAddress):
            connect("rebinding.example", port, allow_private=False)
        assert server.connections == 0


def test_a_name_that_leads_home_is_refused_also_after_a_redirect(names, downloads):
    names["evil.example"] = ["169.254.169.254"]
    with serving({"/x.jpg": redirect("http://evil.example/credentials")}) as server:
        assert downloads.one(server.url("/x.jpg")).status == S.PRIVATE_ADDRESS


def test_host_header_and_certificate_keep_the_name(names, downloads, certificates, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates.bundle))
    names["named.example"] = ["127.0.0.1"]
    with serving({"*": picture()}) as server:
        port = server.host.partition(":")[2]
        assert downloads.one(f"http://named.example:{port}/x.jpg").status == S.OK
        assert {r.headers["host"] for r in server.requests} == {f"named.example:{port}"}
    with serving({"*": picture()}, tls=certificates.contexts["valid"]) as server:
        port = server.host.partition(":")[2]
        row = downloads.one(f"https://named.example:{port}/x.jpg")
        # The certificate is for 127.0.0.1: it was checked against the name, not the address.
        assert row.status == S.TLS
        assert "named.example" in row.reason


def test_the_next_address_is_tried_when_one_does_not_answer():
    from tasks.acquire.web import connections

    with serving({"*": picture()}) as server:
        port = int(server.host.partition(":")[2])
        with connections.connect("localhost", port, allow_private=True) as sock:
            assert sock.getpeername()[0] == "127.0.0.1"
