"""How the API process is reached and how strict it is; every number of safety-and-records §8.3 and §9 in one place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

from api.refusal import Refusal
from controller.clock import Clock, boot_seconds

MINUTE_S = 60.0
HOUR_S = 3600.0
DAY_S = 86_400.0
LOOPBACK_NAMES = ("127.0.0.1", "localhost", "::1")


def people_time() -> Callable[[], float]:
    """UTC seconds for sessions and lock-outs (architecture §6): runs on in suspend, does not jump with the clock."""
    clock = Clock.real("UTC")
    return lambda: clock.utc_of(boot_seconds())


@dataclass(frozen=True, slots=True)
class HashCost:
    """Of argon2id; the defaults are the low-memory profile of RFC 9106, about 0.1 s of one core."""

    rounds: int = 3
    memory_kib: int = 65_536
    lanes: int = 4


@dataclass(frozen=True, slots=True)
class Settings:
    data: Path
    host: str = "127.0.0.1"
    port: int = 8620
    certificate: Path | None = None
    """PEM file; with `key` the server speaks TLS."""
    key: Path | None = None
    insecure_lan: bool = False
    """Reachable from elsewhere without TLS: a banner on every page says so (SEC-01)."""
    names: tuple[str, ...] = ()
    """Further names that the Host header may carry (SEC-08)."""
    origins: tuple[str, ...] = ()
    """Further exact origins of pages, for a proxy that ends TLS (SEC-06)."""
    idle_s: float = 15 * MINUTE_S
    absolute_s: float = 12 * HOUR_S
    lock_failures: int = 5
    lock_window_s: float = 15 * MINUTE_S
    lock_s: float = 15 * MINUTE_S
    address_failures: int = 20
    """Wrong sign-ins from one address within the window, whatever the accounts."""
    setup_s: float = HOUR_S
    token_days: int = 90
    token_longest_days: int = 400
    password_age_s: float | None = None
    """Maximum age of a password, for sites that need one (AC-03)."""
    hash_cost: HashCost = HashCost()
    hash_queue: int = 8
    """Hashes that may wait; the next sign-in is told to come back."""
    body_bytes: int = 1 << 20
    body_s: float = 10.0
    photo_bytes: int = 20 << 20
    photo_s: float = 120.0
    """For one photo to arrive."""
    connections: int = 100
    """Requests and sockets open at once."""
    wall: Callable[[], float] = field(default_factory=people_time)

    @property
    def tls(self) -> bool:
        return self.certificate is not None and self.key is not None

    @property
    def loopback(self) -> bool:
        return is_loopback(self.host)

    @property
    def insecure(self) -> bool:
        """True: every page carries the banner, every batch record the entry."""
        return not self.loopback and not self.tls

    @property
    def scheme(self) -> str:
        return "https" if self.tls else "http"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what is bound to `host`."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def check_bind(settings: Settings) -> None:
    """Raises Refusal where the service would be open to others unprotected (SEC-01)."""
    if (settings.certificate is None) != (settings.key is None):
        raise Refusal("TLS needs both a certificate and its key")
    if settings.insecure and not settings.insecure_lan:
        raise Refusal(
            f"{settings.host} can be reached from other machines: give a certificate and its key, "
            "or say --insecure-lan, which puts a banner on every page"
        )
