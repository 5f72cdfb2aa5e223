"""Links carry bytes. The only file that knows pyserial, sockets or the operating system's ports."""

from __future__ import annotations

from typing import Protocol


class Link(Protocol):
    """One cable. Bytes in, bytes out; no framing, no retries, no meaning."""

    url: str

    @property
    def is_open(self) -> bool: ...

    async def dial(self) -> None:
        """Open (again); drops whatever was waiting in either direction. Raises LinkLost with the reason."""
        ...

    def write(self, data: bytes) -> None:
        """Hand `data` to the cable; never waits. Raises LinkLost when the link is closed."""
        ...

    async def read(self) -> bytes:
        """Wait for the next bytes, at least one. Raises LinkLost when the far side closed or the port went away."""
        ...

    def waiting(self) -> bytes:
        """Take what has already arrived, without waiting; b"" when nothing has."""
        ...

    async def close(self) -> None:
        """Close; repeated closing is fine. Bytes still queued are dropped, never replayed."""
        ...
