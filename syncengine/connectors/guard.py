"""Which addresses the portal may call: tenants type URLs, and none of them may reach what is private to the operator.

`check_url` says what can be said of a URL as written, without network. `checked_addresses` resolves the name once
and gives only addresses that were checked, so that the connection is made to those and to nothing else.
Metadata services and link-local addresses are refused whatever the policy says (interface.md, OUTBOUND_ALLOW).
"""

from __future__ import annotations

import ipaddress
import re
import socket
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

from syncengine.connectors.outcomes import Rejected, Unavailable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


# Azure, Alibaba, Oracle, AWS and Google name their metadata services by these; link-local is the rest of them.
_NEVER = _networks(
    "169.254.0.0/16", "fe80::/10", "168.63.129.16/32", "100.100.100.200/32", "192.0.0.192/32",
    "fd00:ec2::/32", "fd20:ce::254/128",
)  # fmt: skip
_NEVER_NAMES = frozenset({"metadata", "metadata.google.internal", "metadata.goog", "instance-data"})
# What Python's is_global lets through although it leads elsewhere than it says, or nowhere.
_NOT_PUBLIC = _networks(
    "192.0.0.0/24", "192.88.99.0/24", "100.64.0.0/10", "2001::/23", "2002::/16", "3fff::/20", "5f00::/16",
)  # fmt: skip
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_CARRIES_IPV4_LAST = _networks("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48")
_LOCALHOST: tuple[Address, ...] = (ipaddress.IPv4Address("127.0.0.1"), ipaddress.IPv6Address("::1"))
_NUMERIC_LABEL = re.compile(r"0x[0-9a-f]*|[0-9]+")
_HOST_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")

_OPERATOR_HINT = "The operator of this portal can name the host or its network in OUTBOUND_ALLOW."


@dataclass(frozen=True)
class OutboundPolicy:
    """What the operator permits beyond public https: hosts and CIDRs in `allow`, http:// to those if `allow_http`.

    `endpoints` are hosts with their one port, permitted as they are: servers that this portal itself has started.
    """

    allow: tuple[str, ...] = ()
    allow_http: bool = False
    endpoints: frozenset[tuple[str, int]] = frozenset()

    @cached_property
    def networks(self) -> tuple[Network, ...]:
        return tuple(network for entry in self.allow if (network := _as_network(entry)))

    def names(self, host: str) -> bool:
        """Whether `allow` has this host by name."""
        return host_matches(host, self.allow)

    def lists(self, host: str, address: Address) -> bool:
        """Whether `allow` has the host by name or the address by network; an IPv4-mapped address counts as its IPv4."""
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        return self.names(host) or any(_within(form, self.networks) for form in (address, mapped) if form)


@dataclass(frozen=True)
class Target:
    """Scheme, host and port of a URL; the host in lower case, ASCII, without brackets or closing dot."""

    secure: bool
    host: str
    port: int


def check_url(url: str, policy: OutboundPolicy) -> None:
    """Refuse a URL that is wrong or not allowed as written; needs no network.

    Raises Rejected with code `url_invalid` or `outbound_blocked`. What a name leads to is checked at each call.
    """
    target = split_url(url)
    if target.host in _NEVER_NAMES:
        raise _blocked(target.host, "a metadata service", hint="")
    addresses = _literal_addresses(target.host)
    if addresses:
        _permitted(target, addresses, policy)
        if _is_odd(target.host) and not any(policy.lists(target.host, address) for address in addresses):
            raise _blocked(target.host, "an address in an unusual notation")
    elif not target.secure and not _may_be_listed(target.host, policy):
        raise _no_http(target.host)


def split_url(url: str) -> Target:
    """Take a URL apart, refusing what readers of URLs understand differently. Raises Rejected `url_invalid`."""
    if re.search(r"[\x00-\x20\x7f\\]", url):
        raise _invalid("it holds a blank, a backslash or a control character")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _invalid("host or port cannot be read") from None
    if parts.scheme.lower() not in {"http", "https"}:
        raise _invalid("it must start with https://")
    if "@" in parts.netloc:
        raise _invalid("it must not carry a user name or password")
    if parts.fragment or port == 0:
        raise _invalid("it must not have a fragment (#) or port 0")
    secure = parts.scheme.lower() == "https"
    return Target(secure, _clean_host(parts.hostname), port or (443 if secure else 80))


def checked_addresses(host: str, port: int, policy: OutboundPolicy, *, secure: bool) -> list[str]:
    """Resolve once, and give the addresses that may be connected to, in the resolver's order.

    Raises Unavailable `name_not_found`, or Rejected `outbound_blocked` when none of them is permitted or any of them
    is never permitted: a name that also leads to a metadata service is a trap.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        raise Unavailable(
            f"The name {host} cannot be found.",
            code="name_not_found",
            hint="Check the spelling of the host in the URL, and that this portal's DNS knows it.",
        ) from None
    addresses = list(dict.fromkeys(_parse(str(entry[4][0])) for entry in found))
    target = Target(secure, host.lower().rstrip("."), port)
    return [str(address) for address in _permitted(target, addresses, policy)]


def host_matches(host: str, patterns: Iterable[str]) -> bool:
    """Whether a host is one of the patterns, which are names or `*.domain` for everything below a domain."""
    host = host.lower().rstrip(".")
    return any(_matches(host, pattern.strip().lower().strip("[]").rstrip(".")) for pattern in patterns)


def _matches(host: str, pattern: str) -> bool:
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else bool(pattern) and host == pattern


def _permitted(target: Target, addresses: Iterable[Address], policy: OutboundPolicy) -> list[Address]:
    addresses = list(addresses)
    for address in addresses:
        if any(_within(form, _NEVER) for form in (address, *_embedded(address))):
            raise _blocked(target.host, "a link-local address or metadata service", hint="")
    if (target.host, target.port) in policy.endpoints:
        return addresses
    listed = [address for address in addresses if policy.lists(target.host, address)]
    if not target.secure:
        if not (policy.allow_http and listed):
            raise _no_http(target.host)
        return listed
    permitted = [address for address in addresses if address in listed or _is_public(address)]
    if not permitted:
        raise _blocked(target.host, "a private, local or reserved address")
    return permitted


def _is_public(address: Address) -> bool:
    if not address.is_global or address.is_multicast or address.is_reserved or _within(address, _NOT_PUBLIC):
        return False
    return address.version == 4 or (address in _GLOBAL_UNICAST and not any(_embedded(address)))


def _embedded(address: Address) -> Iterator[Address]:
    """The IPv4 addresses that an IPv6 address may stand for: mapped, compatible, translated, NAT64, 6to4, Teredo."""
    if isinstance(address, ipaddress.IPv4Address):
        return
    if _within(address, _CARRIES_IPV4_LAST) or int(address) >> 32 & 0xFDFFFFFF == 0x5EFE:  # the latter is ISATAP
        yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address.sixtofour:
        yield address.sixtofour
    if address.teredo:
        yield from address.teredo


def _literal_addresses(host: str) -> list[Address]:
    """The addresses that are plain from the text alone; empty for a name that has to be looked up."""
    if host == "localhost" or host.endswith(".localhost"):
        return list(_LOCALHOST)
    if ":" in host:
        return [_parse(host)]
    labels = host.split(".")
    if not _NUMERIC_LABEL.fullmatch(labels[-1]):
        return []
    try:
        return [ipaddress.IPv4Address(socket.inet_aton(host))]
    except OSError:
        raise _invalid("its host looks like an IP address and is none") from None


def _is_odd(host: str) -> bool:
    """Decimal, octal, hexadecimal or shortened IPv4: read as one address here and as another elsewhere."""
    if ":" in host or not _NUMERIC_LABEL.fullmatch(host.rsplit(".", maxsplit=1)[-1]):
        return False
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return True
    return False


def _may_be_listed(host: str, policy: OutboundPolicy) -> bool:
    """Whether http:// to a name may turn out to be allowed once the name is looked up."""
    return policy.allow_http and (policy.names(host) or bool(policy.networks))


def _clean_host(host: str | None) -> str:
    if not host:
        raise _invalid("it has no host")
    host = unicodedata.normalize("NFKC", host).lower()
    if not host.isascii():
        try:
            host = host.encode("idna").decode()
        except UnicodeError:
            raise _invalid("its host is no valid name") from None
    host = host.removesuffix(".")
    if ":" in host:
        return str(_parse(host))
    if not _HOST_NAME.fullmatch(host):
        raise _invalid("its host is no valid name")
    return host


def _parse(text: str) -> Address:
    try:
        if "%" in text:
            raise ValueError(text)
        return ipaddress.ip_address(text)
    except ValueError:
        raise _invalid("its host is no valid IP address") from None


def _as_network(entry: str) -> Network | None:
    try:
        return ipaddress.ip_network(entry.strip().strip("[]"), strict=False)
    except ValueError:
        return None


def _within(address: Address, networks: Iterable[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def _invalid(why: str) -> Rejected:
    return Rejected(f"This URL cannot be used: {why}.", code="url_invalid", hint="Example: https://sap.example.com")


def _blocked(host: str, what: str, hint: str = _OPERATOR_HINT) -> Rejected:
    return Rejected(
        f"{host} is or leads to {what}, which this portal may not call.", code="outbound_blocked", hint=hint
    )


def _no_http(host: str) -> Rejected:
    return Rejected(
        f"Unencrypted http:// to {host} is not allowed.",
        code="outbound_blocked",
        hint="Use https://. The operator can permit http:// with OUTBOUND_ALLOW_HTTP for hosts in OUTBOUND_ALLOW.",
    )
