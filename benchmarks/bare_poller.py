"""`python -m benchmarks.bare_poller LINES EXCHANGES SAMPLES SECONDS`: a floor for a controller that polls.

As many exchanges a second on as many connections, and as many samples a second into SQLite every 10 s: bare asyncio
with a time-out, bare sqlite3, no meaning. What answers is a process of its own. Prints the share of a core it took.
"""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FLUSH_S = 10.0
QUESTION, ANSWER = bytes(8), bytes(25)
"""As a Modbus read of ten registers and its answer."""
FAR_END = """
import asyncio, sys
class End(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
    def data_received(self, data):
        asyncio.get_running_loop().call_later(0.02, self.transport.write, bytes(25))
async def main():
    server = await asyncio.get_running_loop().create_server(End, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


async def ask(port: int, each_s: float, until: float) -> None:
    """One line: a question every `each_s`, to absolute deadlines."""
    loop = asyncio.get_running_loop()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    at = loop.time()
    while at < until:
        writer.write(QUESTION)
        async with asyncio.timeout(1.0):
            await reader.readexactly(len(ANSWER))
        at += each_s
        await asyncio.sleep(at - loop.time())
    writer.close()


async def store(path: Path, samples: float, until: float) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("CREATE TABLE sample (id INTEGER PRIMARY KEY, signal INTEGER, t INTEGER, value REAL)")
    sql = "INSERT INTO sample (signal, t, value) VALUES (?, ?, ?)"
    while asyncio.get_running_loop().time() < until:
        connection.execute("BEGIN")
        connection.executemany(sql, [(number, 0, 37.0) for number in range(round(samples * FLUSH_S))])
        connection.execute("COMMIT")
        await asyncio.sleep(FLUSH_S)
    connection.close()


async def poll(port: int, lines: int, exchanges: float, samples: float, for_s: float, folder: Path) -> None:
    until = asyncio.get_running_loop().time() + for_s
    async with asyncio.TaskGroup() as group:
        group.create_task(store(folder / "bare.db", samples, until))
        for _ in range(lines):
            group.create_task(ask(port, lines / exchanges, until))


def main(lines: int, exchanges: float, samples: float, for_s: float) -> None:
    far_end = subprocess.Popen([sys.executable, "-c", FAR_END], stdout=subprocess.PIPE, text=True)
    assert far_end.stdout is not None
    try:
        port = int(far_end.stdout.readline())
        with tempfile.TemporaryDirectory(prefix="o") as name:
            begun, used = time.perf_counter(), time.process_time()
            asyncio.run(poll(port, lines, exchanges, samples, for_s, Path(name)))
            print((time.process_time() - used) / (time.perf_counter() - begun))
    finally:
        far_end.terminate()
        far_end.communicate()


if __name__ == "__main__":
    main(int(sys.argv[1]), *map(float, sys.argv[2:]))
