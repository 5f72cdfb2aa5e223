"""Which names, pages and senders a request may come from (SEC-06, SEC-07, SEC-08). Pure; nothing here reads a
forwarded-address header (SEC-03)."""

from __future__ import annotations

from collections.abc import Mapping

from api.web.security.settings import LOOPBACK_NAMES, Settings

HERE = ("same-origin", "none")
"""Values of Sec-Fetch-Site that come from our own page or from the address bar."""


def host_names(settings: Settings) -> frozenset[str]:
    """Names the Host header may carry, lower case, without port."""
    own = () if settings.host in ("0.0.0.0", "::") else (settings.host,)  # noqa: S104  compared, never bound
    return frozenset(name.lower() for name in (*LOOPBACK_NAMES, *own, *settings.names))


def name_of(host: str) -> str:
    """The name of a Host header without its port: "[::1]:8620" is "::1"."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.rpartition(":")[0].lower() if host.count(":") == 1 else host.lower()


def from_own_page(headers: Mapping[str, str], settings: Settings) -> bool:
    """Whether the page that sent this is ours, as far as the browser says; a sender that says nothing is no browser."""
    origin = headers.get("origin")
    if origin is not None:
        return origin == f"{settings.scheme}://{headers.get('host', '')}" or origin in settings.origins
    return headers.get("sec-fetch-site", "none") in HERE
