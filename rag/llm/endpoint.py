"""Where a provider's server is and which key it gets, checked before anything is sent."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from rag.errors import BackendSetup

if TYPE_CHECKING:
    from .providers import Provider

_VARIABLE = re.compile(r"\{([A-Z_][A-Z0-9_]*)\}")
# RFC 1123. What fills an address must not be able to lead it elsewhere.
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
# Names with an underscore are no names of the internet, but machines in containers have them.
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")

# Docker's --env-file leaves them where they are.
_QUOTES = "\"'`"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server that can be asked.

    ``key`` is empty where none is sent, ``key_variable`` the environment variable it is from.
    ``local`` says whether the server is on this machine.
    """

    base_url: str
    host: str
    key: str = field(default="", repr=False)
    key_variable: str = ""
    local: bool = False

    @property
    def account(self) -> str:
        """The server and which key it is asked with, by a digest that does not tell the key."""
        digest = hashlib.sha256(f"{self.base_url} {self.key}".encode()).hexdigest()
        return f"{self.host}#{digest[:12]}"


def endpoint(provider: Provider, environment: Mapping[str, str]) -> Endpoint:
    """The server of a provider, with the key for it.

    Args:
        provider: Who is asked.
        environment: The environment variables; the first of ``provider.key_variables`` that is
            set holds the key.

    Raises:
        BackendSetup: The address or the key is missing or malformed. No error holds a key.
    """
    base_url = _filled(provider, environment)
    address = _address(base_url)
    if address is None or address.hostname is None:
        raise _no_address(provider, base_url)
    host, local = address.hostname, is_loopback(address.hostname)
    variable, key = _key(provider, environment)
    if provider.needs_key and not key and not local:
        raise _no_key(provider, host)
    if key and address.scheme == "http" and not local and not provider.unencrypted:
        raise BackendSetup(
            f"The key in {variable} would go to {host} unencrypted, since the address of "
            f"{provider.name} begins with http.",
            f"Use https, or allow it: providers.{provider.name}.unencrypted = true.",
        )
    return Endpoint(base_url, host, key, variable, local)


def host_of(base_url: str) -> str:
    """The host of an address, in small letters; empty where it is no address."""
    address = _address(base_url)
    return (address.hostname or "") if address else ""


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _filled(provider: Provider, environment: Mapping[str, str]) -> str:
    """The address with its variables filled in."""
    base_url = provider.base_url
    for variable in dict.fromkeys(_VARIABLE.findall(base_url)):
        value = environment.get(variable, "").strip()
        if not value:
            raise BackendSetup(
                f"{variable} is not set, which is a part of the address of {provider.label}.",
                f"Set it, or write the whole address into providers.{provider.name}.base_url.",
            )
        if not _LABEL.fullmatch(value):
            raise BackendSetup(
                f"{variable} is not a name that can be a part of an address.",
                "It has only letters, digits and hyphens.",
            )
        base_url = base_url.replace(f"{{{variable}}}", value)
    return base_url


def _address(base_url: str) -> SplitResult | None:
    """The parts of an address that any reader of it takes for the same ones, or nothing."""
    plain = base_url.isascii() and base_url.isprintable() and not set(base_url) & set(" \\?#@{}")
    if not plain:
        return None
    try:
        address = urlsplit(base_url)
        host, port = address.hostname or "", address.port
        known = bool(_HOST.fullmatch(host)) or ipaddress.ip_address(host).version == 6
    except ValueError:
        return None
    return address if address.scheme in ("http", "https") and known and port != 0 else None


def _key(provider: Provider, environment: Mapping[str, str]) -> tuple[str, str]:
    """The variable that holds the key, and the key; both empty where there is none."""
    for variable in provider.key_variables:
        key = environment.get(variable, "").strip()
        if not key:
            continue
        if not (key.isascii() and key.isprintable()) or " " in key:
            raise BackendSetup(
                f"{variable} does not hold a key: it has white space or letters outside ASCII.",
                "Copy the key again.",
            )
        if key[0] in _QUOTES or key[-1] in _QUOTES:
            raise BackendSetup(
                f"{variable} does not hold a key: there are quotation marks around it.",
                "Take them out: not every program that sets variables does so itself.",
            )
        return variable, key
    return "", ""


def _no_key(provider: Provider, host: str) -> BackendSetup:
    setting = f"providers.{provider.name}.key_variables"
    if not provider.key_variables:
        return BackendSetup(
            f"No variable is named that holds the key for {host}.",
            f"Name one in {setting}, or set providers.{provider.name}.needs_key to false.",
        )
    return BackendSetup(
        f"{' or '.join(provider.key_variables)} is not set, so {host} cannot be asked.",
        f"Set it to your key, or name another variable in {setting}.",
    )


def _no_address(provider: Provider, base_url: str) -> BackendSetup:
    setting = f"providers.{provider.name}.base_url"
    if set(base_url) & set("@?#"):
        # What is there may be a password or a key.
        return BackendSetup(
            f"{setting} holds a name, a password or a query.",
            f"Leave it out, and name the variable with the key in providers.{provider.name}.key_variables.",
        )
    return BackendSetup(
        f"{setting} is not the address of a server: {base_url!r}.",
        "It looks like http://127.0.0.1:11434/v1.",
    )
