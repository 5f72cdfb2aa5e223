"""Bytes on a cable <-> values in named units. Knows nothing above it."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from drivers.core.device import Device


@asynccontextmanager
async def open(
    model: str,
    url: str | None = None,
    *,
    address: int | None = None,
    options: Mapping[str, float | str] | None = None,
) -> AsyncGenerator[Device]:
    """Connect one device, make sure it is this model, prepare it, and hang up at the end.

    `url` and `address` default to the datasheet's; a serial URL may leave out settings the datasheet knows.
    Raises UnknownModel, ValueError (URL), LinkLost, WireError, WrongDevice.

        async with drivers.open("hamilton_arc_ph", "serial:///dev/ttyUSB0") as probe:
            print(await probe.ph.read())
    """
    from drivers.catalogue import find
    from drivers.core.line import Line
    from drivers.core.link import open_link

    kind = find(model)
    line = Line(open_link(url or kind.default_url, kind.default_url))
    try:
        device = kind(line, kind.default_address if address is None else address, options)
        await device.identify()
        await device.prepare()
        if kind.verified is None:
            logging.getLogger(__name__).warning("%s has not been run on hardware yet", model)
        yield device
    finally:
        await line.close()
