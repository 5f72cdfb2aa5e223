"""Run by `make.py` with the code of an earlier commit: one run brought to a point, then the controller dies.

Only names that every pinned commit has are used here. Arguments: where to (a folder), which scene (exchange, wait).
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
from pathlib import Path

from protocols import records
from simulators.core.time import VirtualLoop
from tests.controller.quick import EXCHANGE, TOML, WAIT, QuickLab

START = 1_767_567_600.0


async def play(folder: Path, scene: str) -> None:
    """A data folder as a kill leaves it, with the bench file it ran under and the run as its own program knew it."""
    lab = QuickLab(folder / "data")
    await lab.poured(EXCHANGE if scene == "exchange" else WAIT)
    if scene == "exchange":
        await lab.moving("fill", 2.0)
    else:
        await asyncio.sleep(1800.0)
    await lab.kill()
    (folder / "bench.toml").write_text(TOML, "utf-8")
    known = {"run": records.as_json(lab.engine.run), "at": lab.now}
    (folder / "known.json").write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", "utf-8")
    lab.bench.switch_off()


def main() -> None:
    folder, scene = Path(sys.argv[1]), sys.argv[2]
    folder.mkdir(parents=True)
    loop = VirtualLoop(START)
    loop.run_until_complete(play(folder, scene))
    for path in sorted((folder / "data").glob("*.db")):  # what stands in the log beside the file goes into the file
        with sqlite3.connect(path) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.execute("VACUUM")


if __name__ == "__main__":
    main()
