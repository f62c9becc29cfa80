"""Where a service is: scheme, host and port of a URL, its addresses, and the TLS that is spoken there."""

import asyncio
import ipaddress
import socket
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

import anyio

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """A scheme, a host and a port."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> "Origin":
        """The origin of a URL without a path.

        Raises:
            ValueError: it is not an http or https URL, or leads into a folder.
        """
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError("it is not an http or https URL")
        if parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc:
            raise ValueError("it has more than a scheme, a host and a port")
        return cls(parts.scheme, parts.hostname, parts.port or _PORTS[parts.scheme])

    @property
    def is_tls(self) -> bool:
        """Whether it is reached through TLS."""
        return self.scheme == "https"

    @property
    def authority(self) -> str:
        """The `Host` header: without the scheme's own port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def literal_address(self) -> str | None:
        """The host where it is an address already; None where it is a name."""
        try:
            return str(ipaddress.ip_address(self.host))
        except ValueError:
            return None


def tls_context(ca_file: str | None = None) -> ssl.SSLContext:
    """Verifies by the system's trust store, or by the certificates of a file instead.

    Raises:
        OSError: the file cannot be read, or holds no certificate.
    """
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class Resolver:
    """The addresses of one origin, asked for at most every ten seconds, handed out in turn.

    AWS answers with several addresses and changes them within a minute; a thousand connections need not ask each.
    """

    FRESH_S = 10.0

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._addresses: list[str] = []
        self._fresh_until_s = float("-inf")
        self._turn = 0
        self._asking = anyio.Lock()
        if (literal := origin.literal_address) is not None:
            self._addresses, self._fresh_until_s = [literal], float("inf")

    async def addresses(self) -> list[str]:
        """All of them, beginning with the one whose turn it is.

        Raises:
            socket.gaierror: the name is not known.
        """
        loop = asyncio.get_running_loop()
        if loop.time() >= self._fresh_until_s:
            async with self._asking:  # a burst asks once
                if loop.time() >= self._fresh_until_s:
                    found = await loop.getaddrinfo(self._origin.host, self._origin.port, type=socket.SOCK_STREAM)
                    self._addresses = list(dict.fromkeys(str(address[4][0]) for address in found))
                    self._fresh_until_s = loop.time() + self.FRESH_S
        self._turn += 1
        first = self._turn % len(self._addresses)
        return self._addresses[first:] + self._addresses[:first]
