"""Which addresses a download may connect to.

A URL list is written by strangers: an entry, or what it redirects to, may lead to a router, to a
database on this machine, or to the credentials that clouds serve on 169.254.169.254. The check is
made on the very address that is connected to, after the name is resolved and for every new
connection, so that a name whose answer changes between check and use gains nothing.
"""

import ipaddress
import socket

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
SocketAddress = tuple[socket.AddressFamily, tuple[str, int] | tuple[str, int, int, int]]

# The parameter that lifts a refusal is named in it; others are for good.
ALLOWING = "source.allow_private_addresses"
# Never the home of a picture, whatever is allowed: "this host", link-local, cloud metadata.
NEVER = tuple(
    ipaddress.ip_network(text)
    for text in (
        *("0.0.0.0/8", "169.254.0.0/16", "100.100.100.200/32", "255.255.255.255/32"),
        *("::/128", "fe80::/10", "fd00:ec2::254/128"),
    )
)
# Global by the letter of the registries, though they lead into private networks.
ALSO_PRIVATE = tuple(
    ipaddress.ip_network(text) for text in ("64:ff9b:1::/48", "fec0::/10", "192.88.99.0/24")
)
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class RefusedAddress(OSError):
    """The host has no address that Darkroom may connect to."""


def effective(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one that stands for it (mapped, NAT64, 6to4, Teredo)."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or teredo or address


def refusal(address: Address, *, allow_private: bool) -> str:
    """Why `address` must not be connected to; '' if it may."""
    inner = effective(address)
    if inner.is_multicast or any(inner in network for network in NEVER):
        return f"{address} is link-local, multicast or a cloud's metadata service"
    if allow_private:
        return ""
    if not inner.is_global or any(inner in network for network in ALSO_PRIVATE):
        return f"{address} is in a private or loopback network ({ALLOWING})"
    return ""


def resolve(host: str, port: int, *, allow_private: bool) -> list[SocketAddress]:
    """The addresses of `host` that may be connected to, in the resolver's order, at least one.

    RefusedAddress when it has none; socket.gaierror when the name is not known.
    """
    found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    allowed: list[SocketAddress] = []
    refused = ""
    for family, _, _, _, target in found:
        # A scope ("%eth0") is only found on link-local addresses, which are refused below.
        address = ipaddress.ip_address(str(target[0]).partition("%")[0])
        reason = refusal(address, allow_private=allow_private)
        refused = refused or reason
        if not reason:
            allowed.append((family, target))  # type: ignore[arg-type]  # AF_INET and AF_INET6 only
    if not allowed:
        raise RefusedAddress(refused or f"{host} has no address")
    return allowed
