"""Addresses that must not be called, in every spelling that some reader of URLs takes for them."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address

METADATA = ("169.254.169.254", "100.100.100.200", "168.63.129.16", "192.0.0.192", "169.254.0.1")
PRIVATE = ("127.0.0.1", "127.8.9.1", "10.0.0.5", "172.16.0.1", "192.168.1.1", "0.0.0.0", "224.0.0.1", "255.255.255.255")
NAMES_OF_METADATA = (
    "metadata", "METADATA", "metadata.", "metadata.google.internal", "Metadata.Google.Internal.", "metadata.goog",
    "instance-data", "ｍetadata.google.internal", "metadata.google。internal",
)  # fmt: skip
NAMES_OF_HERE = (
    "localhost", "LOCALHOST", "localhost.", "sap.localhost", "ⓛocalhost", "ｌｏｃａｌｈｏｓｔ", "LocalHost.",
)  # fmt: skip
METADATA_V6 = (
    "[fe80::1]", "[febf::ffff]", "[fe80::a9fe:a9fe]", "[fd00:ec2::254]", "[FD00:EC2::254]", "[fd20:ce::254]",
    "[fe80::1%25eth0]", "[fe80::1%eth0]",
)  # fmt: skip
PRIVATE_V6 = (
    "[::1]", "[0:0:0:0:0:0:0:1]", "[::]", "[::1%25lo]", "[fc00::1]", "[fd12:3456::1]", "[fec0::1]", "[ff02::1]",
    "[ff05::2]", "[2001:db8::1]", "[3fff::1]", "[5f00::1]", "[100::1]", "[2001:20::1]",
)  # fmt: skip
OF_ANOTHER = ("168.063.129.016",)  # octal, as who resolves it reads it: 168.51.129.14
CIRCLED = str.maketrans("123456789", "①②③④⑤⑥⑦⑧⑨")
FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
MATHEMATICAL = str.maketrans("0123456789", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗")


def of_ipv4(text: str) -> Iterator[str]:
    """Every spelling of one IPv4 address as a host."""
    address = IPv4Address(text)
    yield text
    yield from _numbers(address)
    yield from _letters(text)
    yield from _inside_ipv6(address)


def _numbers(address: IPv4Address) -> Iterator[str]:
    """What inet_aton and some browsers read."""
    number, (a, b, c, d) = int(address), address.packed
    yield from (str(number), f"{number:#x}", f"{number:#X}", f"{number:#014x}", f"0{number:o}", f"0000{number:o}")
    yield from (f"{a}.{(b << 16) + (c << 8) + d}", f"{a}.{b}.{(c << 8) + d}", f"{a:#x}.{b}.{(c << 8) + d:#x}")
    yield from (f"{a:#x}.{b:#x}.{c:#x}.{d:#x}", f"0{a:o}.0{b:o}.0{c:o}.0{d:o}", f"0{a:o}.{b:#x}.{c}.{d}")
    yield from (f"{a:03}.{b:03}.{c:03}.{d:03}", f"{a}.{b}.{c}.{d:#x}", f"{a:#04X}.{b}.{c}.{d}")


def _letters(text: str) -> Iterator[str]:
    """What normal forms of Unicode, percent signs and closing dots make of it."""
    yield from (f"{text}.", f"{text}..", text.replace(".", "。"), text.replace(".", "．"), text.replace(".", "｡"))
    yield from (text.translate(FULL_WIDTH), text.translate(CIRCLED), text.translate(MATHEMATICAL))
    yield "".join(f"%{ord(letter):02x}" for letter in text)
    yield text.replace(".", "%2e")


def _inside_ipv6(address: IPv4Address) -> Iterator[str]:
    """Mapped, compatible, translated, NAT64, 6to4, Teredo, ISATAP."""
    a, b, c, d = address.packed
    high, low = f"{(a << 8) + b:x}", f"{(c << 8) + d:x}"
    hidden = f"{((a << 8) + b) ^ 0xFFFF:x}:{((c << 8) + d) ^ 0xFFFF:x}"
    forms = (
        f"::ffff:{address}", f"::FFFF:{address}", f"::ffff:{high}:{low}", f"0:0:0:0:0:ffff:{address}", f"::{address}",
        f"::{high}:{low}", f"::ffff:0:{address}", f"64:ff9b::{address}", f"64:ff9b::{high}:{low}",
        f"64:ff9b:1::{address}", f"2002:{high}:{low}::", f"2002:{high}:{low}::1", f"2001:0:{high}:{low}::1",
        f"2001:0:808:808:0:0:{hidden}", f"2a00:1450::5efe:{address}", f"2a00:1450::200:5efe:{high}:{low}",
        f"::ffff:{address}%25eth0",
    )  # fmt: skip
    yield from (f"[{form}]" for form in forms)


def hosts_never() -> list[str]:
    """What no setting of the operator permits."""
    spelled = [form for address in METADATA for form in of_ipv4(address) if form not in OF_ANOTHER]
    return [*spelled, *NAMES_OF_METADATA, *METADATA_V6]


def hosts_private() -> list[str]:
    """What only OUTBOUND_ALLOW permits."""
    spelled = [form for address in PRIVATE for form in of_ipv4(address)]
    return [*spelled, *NAMES_OF_HERE, *PRIVATE_V6]


def disguised(host: str, port: int) -> Iterator[str]:
    """URLs of which some readers see another host than others do."""
    yield from (f"https://{host}:{port}/x", f"HTTPS://{host}:{port}/x", f"http://{host}:{port}/x", f"https://{host}/x")
    yield from (f"https://user@{host}:{port}/", f"https://user:pw@{host}:{port}/", f"https://api.basware.com@{host}/")
    yield from (f"https://{host}:{port}\\@api.basware.com/", f"https://{host}:{port}#@api.basware.com/")
    yield from (f"https://{host}:{port}?@api.basware.com/", f"https:/{host}:{port}/", f"https:///{host}:{port}/")
    yield from (
        f"//{host}:{port}/",
        f"hTTp:\\\\{host}:{port}/",
        f" https://{host}:{port}/",
        f"https://\t{host}:{port}/",
    )
    yield from (f"https://{host}:{port}\r\nHost: api.basware.com\r\n\r\n", f"gopher://{host}:{port}/_x")
    yield from (f"file://{host}/etc/passwd", f"ftp://{host}:{port}/", f"https://{host}:0/", f"https://{host}:+{port}/")
    yield from (f"dict://{host}:{port}/", f"jar:https://{host}!/", f"https://[{host}]:{port}/", f"https://{host}\0/")
