"""A serial port of this machine."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from drivers.core.errors import LinkLost
from drivers.core.link.inbox import Inbox
from drivers.core.link.ports import Port, ports
from drivers.core.link.troubles import advice, reason

if TYPE_CHECKING:
    import serial

AFTER_BREAK_S = 0.15
"""Wait after a break before anything is sent (liconic-stx.md: wait 150 ms, discard input)."""


def is_pseudo(device: str) -> bool:
    """Whether this is a pseudo-terminal: it carries whole bytes, and refuses settings of a frame it does not have."""
    return os.path.realpath(device).startswith("/dev/pts/")


class SerialLink:
    """A serial port. pyserial opens and sets it, exclusively; reading and writing are the loop's (POSIX)."""

    def __init__(
        self, url: str, device: str, settings: dict[str, str], ports: Callable[[], Iterable[Port]] = ports
    ) -> None:
        """`settings` as in the URL; `usb` = serial number of the USB adapter, by which it is found under any name."""
        self.url, self.device = url, device
        known = {"baud": "9600", "parity": "N", "bits": "8", "stopbits": "1", "usb": ""}
        known |= {"rtscts": "0", "dtr": "1", "rts": "1", "break_ms": "0"}
        if not device and not settings.get("usb"):
            raise ValueError(f"{url}: no port named, such as serial:///dev/ttyUSB0?baud=9600")
        if unknown := settings.keys() - known:
            raise ValueError(f"{url}: {', '.join(sorted(unknown))} unknown; known are {', '.join(known)}")
        asked = known | settings
        try:
            self.baud, self.bits, self.stopbits = int(asked["baud"]), int(asked["bits"]), float(asked["stopbits"])
            self.rtscts, self.dtr, self.rts = (bool(int(asked[name])) for name in ("rtscts", "dtr", "rts"))
            self.break_s = int(asked["break_ms"]) / 1000
        except ValueError:
            raise ValueError(f"{url}: every setting but parity is a number, such as baud=9600") from None
        self.parity = asked["parity"].upper()
        if self.parity not in ("N", "E", "O") or self.bits not in (7, 8) or self.stopbits not in (1, 1.5, 2):
            raise ValueError(f"{url}: parity is N, E or O; bits 7 or 8; stopbits 1, 1.5 or 2")
        self.usb = asked["usb"]
        self._ports = ports
        self._port: serial.Serial | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._inbox = Inbox()
        self._unsent = bytearray()

    @property
    def may_be_dead(self) -> bool:
        return False

    @property
    def is_open(self) -> bool:
        return self._port is not None

    async def dial(self) -> None:
        """Open the port for us alone and empty both its queues. Raises LinkLost with what to do about it."""
        await self.close()
        if os.name != "posix":
            raise LinkLost(f"{self.url}: serial ports on Windows are not there yet; use a serial server and tcp://")
        import termios

        import serial

        if self.usb:
            self.device = self._plugged_in()
        bits, parity = (8, "N") if is_pseudo(self.device) else (self.bits, self.parity)
        try:
            port = serial.Serial(
                None, self.baud, bits, parity, self.stopbits, timeout=0, rtscts=self.rtscts, exclusive=True
            )
            port.port, port.dtr = self.device, self.dtr
            if not self.rtscts:
                port.rts = self.rts
            port.open()
            if self.break_s:
                await self._break(port)
            port.reset_input_buffer()
            port.reset_output_buffer()
        except (OSError, ValueError) as error:  # SerialException is an OSError
            raise LinkLost(f"{self.url}: {advice(error, self.device)}") from error
        except termios.error as error:
            frame = f"{self.baud} {self.bits}{self.parity}{self.stopbits:g}"
            raise LinkLost(f"{self.url}: this port cannot be set to {frame} ({error.args[-1]})") from error
        self._port, self._inbox, self._loop = port, Inbox(), asyncio.get_running_loop()
        self._loop.add_reader(port.fileno(), self._arrived)

    async def _break(self, port: serial.Serial) -> None:
        """Hold the line low for `break_s`: some programmable controllers find the baud rate by it."""
        try:
            port.break_condition = True
            await asyncio.sleep(self.break_s)
            port.break_condition = False
            await asyncio.sleep(AFTER_BREAK_S)
        except BaseException:
            port.close()
            raise

    def _plugged_in(self) -> str:
        """Where the adapter with our serial number is now: it may come back under another name. Raises LinkLost."""
        there = list(self._ports())
        found = [port.device for port in there if port.usb == self.usb]
        if len(found) == 1:
            return found[0]
        if found:
            raise LinkLost(f"{self.url}: {', '.join(found)} all say serial number {self.usb}; name the port instead")
        others = ", ".join(f"{port.usb} at {port.device}" for port in there if port.usb)
        raise LinkLost(f"{self.url}: no USB adapter with serial number {self.usb}; plugged in: {others or 'none'}")

    def write(self, data: bytes) -> None:
        if self._port is None:
            raise LinkLost(f"{self.url}: not open")
        self._unsent += data
        self._send()

    async def read(self) -> bytes:
        if self._port is None:
            raise LinkLost(f"{self.url}: not open")
        return await self._inbox.get()

    def waiting(self) -> bytes:
        return self._inbox.take()

    async def close(self) -> None:
        self._hang_up(LinkLost(f"{self.url}: closed by us"))

    def _arrived(self) -> None:
        assert self._port is not None
        try:
            data = os.read(self._port.fileno(), 4096)
        except BlockingIOError:
            return
        except OSError as error:
            self._hang_up(LinkLost(f"{self.url}: {reason(error)}; unplugged?", broken=True))
            return
        if data:
            self._inbox.put(data)
        else:
            self._hang_up(LinkLost(f"{self.url}: the port is gone; unplugged?", broken=True))

    def _send(self) -> None:
        assert self._port is not None
        assert self._loop is not None
        fd = self._port.fileno()
        try:
            del self._unsent[: os.write(fd, self._unsent)]
        except BlockingIOError:
            pass
        except OSError as error:
            lost = LinkLost(f"{self.url}: {reason(error)}; unplugged?", broken=True)
            self._hang_up(lost)
            raise lost from error
        if self._unsent:
            self._loop.add_writer(fd, self._send_more)
        else:
            self._loop.remove_writer(fd)

    def _send_more(self) -> None:
        with contextlib.suppress(LinkLost):  # whoever reads is told by the inbox
            self._send()

    def _hang_up(self, why: LinkLost) -> None:
        port, self._port = self._port, None
        if port is None:
            return
        assert self._loop is not None
        self._loop.remove_reader(port.fileno())
        self._loop.remove_writer(port.fileno())
        self._unsent.clear()
        self._inbox.end(why)
        port.close()
