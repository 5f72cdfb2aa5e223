"""Which known device answers on which port. Every question is one that moves and heats nothing on any device we know.

A model is sought by its own `identify`, at the link settings and the address of its datasheet. Questions that nobody
answered are not asked again by another model, so the whole catalogue costs each distinct question once.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from drivers.catalogue import MODELS, find
from drivers.core.device import Device
from drivers.core.errors import BadFrame, NoAnswer, OsteonError, Refused
from drivers.core.line import Line, Parse
from drivers.core.link import Link, open_link
from drivers.core.signals import Identity

SETTLE_S = 0.02
"""Silence before the next question. A reply later than that meets a question of another language, which refuses it."""

ANSWERED_LATE_S = 0.3
"""Silence before a question that was answered wrongly is asked again."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Found:
    """One device that said who it is, and how to reach it."""

    model: str
    url: str
    address: int
    identity: Identity
    others: tuple[str, ...] = ()
    """Models of the same family that the wire cannot tell from this one: a person must choose."""


class Noting(Line):
    """A line that notes what was said: a number that changes none of it is not on the wire."""

    def __init__(self, link: Link) -> None:
        super().__init__(link)
        self.said = set[bytes]()

    async def query(
        self,
        request: bytes,
        parse: Parse[T],
        *,
        timeout_s: float,
        retries: int = 0,
        quiet_s: float = 0.0,
        doubt_s: float | None = None,
    ) -> T:
        self.said.add(request)
        return await super().query(
            request, parse, timeout_s=timeout_s, retries=retries, quiet_s=quiet_s, doubt_s=doubt_s
        )

    async def query_to_close(self, request: bytes, *, timeout_s: float) -> bytes:
        self.said.add(request)
        return await super().query_to_close(request, timeout_s=timeout_s)


class Seeker(Noting):
    """A line on which an unanswered question is not asked twice, and nobody waits long for quiet."""

    noise_limit_s = 1.0
    hang_up_after = sys.maxsize

    def __init__(self, link: Link, kind: type[Device], in_vain: set[bytes]) -> None:
        """One model's turn on the link: what was said in the turns before is behind it."""
        super().__init__(link)
        self.kind, self.in_vain = kind, in_vain
        self.doubt(SETTLE_S)

    def doubt(self, silence_s: float) -> None:
        """Nobody waits long for replies to others: what answers them is another language, or another address."""
        self._last_at = asyncio.get_running_loop().time()
        super().doubt(min(silence_s, SETTLE_S))

    async def query(
        self,
        request: bytes,
        parse: Parse[T],
        *,
        timeout_s: float,
        retries: int = 0,
        quiet_s: float = 0.0,
        doubt_s: float | None = None,
    ) -> T:
        if request in self.in_vain:
            raise NoAnswer(f"{self.name}: nobody answered this question before")
        wait_s = min(timeout_s, self.kind.answer_s)
        try:
            try:
                return await super().query(request, parse, timeout_s=wait_s, quiet_s=quiet_s)
            except NoAnswer:
                if not self.kind.asked_twice:
                    raise
                self._doubt_s = min(self._doubt_s, SETTLE_S)
            except (BadFrame, Refused):
                self._doubt_s = min(wait_s, ANSWERED_LATE_S)  # somebody is there; it may answer another
            return await super().query(request, parse, timeout_s=wait_s, quiet_s=quiet_s)
        except (NoAnswer, BadFrame):
            self.in_vain.add(request)
            self._doubt_s = min(self._doubt_s, SETTLE_S)
            raise


async def find_on(url: str, addresses: Sequence[int] = (), models: Sequence[str] = ()) -> AsyncGenerator[Found]:
    """Every known device on one port, as it is found.

    `url` is serial:///dev/ttyUSB0, tcp://HOST:PORT, modbus-tcp://HOST or http://HOST. `addresses` beside the factory
    ones. `models` are asked for and no others, those too that are not sought otherwise: whoever names one knows what
    may be on the cable. A cable has one speed: once somebody answered, other settings are not tried. Raises LinkLost
    when the port does not open, ValueError when the URL is none.
    """
    scheme = urlsplit(url).scheme
    named = [find(model) for model in models]
    sought = named or [kind for kind in map(find, MODELS) if not kind.not_sought]
    groups = by_settings(url, [kind for kind in sought if reaches(scheme, kind)])
    for settings, kinds in groups.items():
        link, in_vain = open_link(url, settings), set[bytes]()
        found: dict[tuple[str, int], Found] = {}
        try:
            await link.dial()
            for kind in sorted(kinds, key=lambda kind: (kind.asked_twice, kind.answer_s)):
                line = Noting(link) if named else Seeker(link, kind, in_vain)
                answered: list[set[bytes]] = []
                for address in dict.fromkeys((kind.default_address, *addresses)):
                    line.said = set[bytes]()
                    if (identity := await who(line, kind, address)) is not None:
                        if line.said in answered:  # the same device, that knows of no numbers
                            break
                        answered.append(line.said)
                        this = Found(kind.model, whole_url(url, settings), address, identity)
                        place = family(kind), address
                        found[place] = together(found.get(place), this)
        finally:
            await link.close()
        for each in found.values():
            yield each
        if found:
            return


def family(kind: type[Device]) -> str:
    return kind.__module__.rpartition(".")[0]


def together(before: Found | None, this: Found) -> Found:
    """One device at one address is one thing found, by however many names of its family it goes."""
    return this if before is None else replace(before, others=(*before.others, this.model))


def reaches(scheme: str, kind: type[Device]) -> bool:
    """Whether such a link can lead to such a device."""
    web = kind.default_url.startswith("http")
    return web if scheme == "http" else not web


def by_settings(url: str, kinds: Iterable[type[Device]]) -> Mapping[str, list[type[Device]]]:
    """Models by the default URL whose settings they share; one group where the link has no settings to choose."""
    fixed = urlsplit(url).scheme != "serial"
    groups: dict[tuple[tuple[str, str], ...], tuple[str, list[type[Device]]]] = {}
    for kind in kinds:
        settings = () if fixed else tuple(sorted(parse_qsl(urlsplit(kind.default_url).query)))
        groups.setdefault(settings, (kind.default_url, []))[1].append(kind)
    return dict(groups.values())


def whole_url(url: str, default: str) -> str:
    """The port with the settings at which somebody answered."""
    if urlsplit(url).scheme != "serial":
        return url
    settings = dict(parse_qsl(urlsplit(default).query)) | dict(parse_qsl(urlsplit(url).query))
    return f"{url.partition('?')[0]}?{urlencode(settings)}"


async def who(line: Line, kind: type[Device], address: int) -> Identity | None:
    """The identity of a device of this kind, or None."""
    try:
        return await kind(line, address).identify()
    except (OsteonError, ValueError):
        return None
