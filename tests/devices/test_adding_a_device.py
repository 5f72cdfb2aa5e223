"""A device added from outside the repository, by a made-up manual: under 100 lines, table, driver and simulator."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from controller.settings import BenchInvalid, parse
from drivers.catalogue import MODELS, BadFolder, find, include
from drivers.core.errors import OutOfRange
from drivers.core.line import Line
from simulators.core.hosts import MemoryHost
from simulators.core.modbus import READ_HOLDING, ModbusUnit
from simulators.core.ports import TcpHost
from simulators.core.simulator import Action
from tests.devices.golden import golden

FOLDER = Path(__file__).parent / "borealis"
GOLDEN = golden(
    "borealis_co2",
    r"""
    p. 1 | M | > 07 03 00 09 00 02 14 6F | < 07 03 04 01 F7 01 72 AD 88 | both values
    """,
)


class Borealis(ModbusUnit):
    """The probe by its manual: a register image."""

    functions = frozenset((READ_HOLDING, 6))
    wake_at = None

    def __init__(self, address: int = 7) -> None:
        super().__init__(address)
        self.words = {9: 503, 10: 370, 19: 1000, 29: 0x4231, 30: 0x3233}
        for at in self.words:
            self.add(at, 1, lambda now, at=at: self.words[at].to_bytes(2, "big"), self.writer(at))

    def writer(self, at: int):
        def write(data: bytes, now: float) -> None:
            self.words[at] = int.from_bytes(data, "big")

        return write if at == 19 else None

    def wake(self, now: float) -> list[Action]:
        return []

    power_cycle = wake

    def snapshot(self) -> dict[str, object]:
        return {}

    def restore(self, saved: dict[str, object]) -> None: ...


@pytest.fixture(autouse=True)
def included():
    names = include(FOLDER)
    assert names == ["borealis_co2"]
    yield
    for name in names:
        del MODELS[name]


def test_the_whole_device_is_under_a_hundred_lines() -> None:
    files = [path for path in FOLDER.rglob("*") if path.suffix in (".py", ".csv")]
    here = Path(__file__).read_text()
    simulator = here[here.index("class Borealis") : here.index("@pytest.fixture")]
    assert sum(len(path.read_text().splitlines()) for path in files) + len(simulator.splitlines()) < 100


async def test_it_is_read_and_set_within_limits() -> None:
    GOLDEN.check_simulator(Borealis())
    async with GOLDEN.line() as line:
        assert await find("borealis_co2")(line, 7).read("co2") == (5.03, asyncio.get_running_loop().time(), "good", "")
    probe = find("borealis_co2")(Line(MemoryHost(Borealis()).link()), 7)
    assert (await probe.identify()).serial == "B123"
    values = {name: each.value for name, each in (await probe.poll()).items()}
    assert values == {"co2": 5.03, "temperature": 37.0, "alarm_limit": 10.0}
    assert (await probe.write("alarm_limit", 6.5)).value == 6.5
    with pytest.raises(OutOfRange):
        await probe.write("alarm_limit", 21)


@pytest.mark.real_time
async def test_the_command_line_reads_it_and_a_bench_file_names_it() -> None:
    host = TcpHost(Borealis(), "127.0.0.1", 0)
    await host.open()
    words = ("device", "read", "borealis_co2", host.url, "--drivers", str(FOLDER), "--json")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "api.cli", *words, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    out, _ = await process.communicate()
    await host.close()
    assert json.loads(out)["signals"]["co2"] == {"value": 5.03, "unit": "%", "quality": "good"}
    assert json.loads(out)["identity"]["serial"] == "B123"


BENCH = """
drivers = ["{folder}"]
[bench]
name = "ours"
[links]
bus = "tcp://127.0.0.1:4001"
[[devices]]
name = "probe"
model = "borealis_co2"
link = "bus"
[[units]]
name = "reactor"
vessel = {{ min_ml = 60, max_ml = 150, level_ml = 72 }}
[units.roles]
"co2" = "probe.co2"
"""


def test_a_bench_file_names_the_folder() -> None:
    settings = parse(BENCH.format(folder="borealis"), str(FOLDER.parent / "bench.toml"))
    assert settings.devices[0].model == "borealis_co2"


def test_a_folder_that_is_none_is_refused_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(BenchInvalid, match=r"bench\.toml:2:\d+: drivers\.0: .*no catalogue\.py"):
        parse(BENCH.format(folder="nowhere"), str(tmp_path / "bench.toml"))
    (tmp_path / "catalogue.py").write_text("MODELS = {'memmert_ico': 'x.driver:X'}")
    with pytest.raises(BadFolder, match="there is a model memmert_ico already"):
        include(tmp_path)
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "catalogue.py").write_text("MODELS = ")
    with pytest.raises(BadFolder, match="invalid syntax"):
        include(broken)


DRIVER, TABLE, CATALOGUE = "borealis_co2/driver.py", "borealis_co2/registers.csv", "catalogue.py"


@pytest.mark.parametrize(
    ("file", "right", "wrong", "says"),
    [
        (DRIVER, "import LinkLoss, Signal", "import LinkLos, Signal", r"driver\.py:\d+: ImportError: .*LinkLos"),
        (DRIVER, "async def identify(self)", "async def identify(self", r"SyntaxError: .*driver\.py, line \d+"),
        (DRIVER, '    safe_state = "measures only"\n', "", "BorealisCo2 does not say its safe_state"),
        (DRIVER, '"borealis_co2", "Borealis"', '"borealis", "Borealis"', "give both one name"),
        (DRIVER, "    co2 = Signal()", "    co_2 = Signal()", "no row for the signal co_2"),
        (TABLE, "10,,uint16", "10,,unit16", "co2: 'unit16' is no type; there are int16"),
        (TABLE, "0.01,%,r,", "0.01,percent,r,", "co2: 'percent' is no unit"),
        (TABLE, "holding,10", "holding,ten", r"registers\.csv:2: .*'ten'"),
        (CATALOGUE, ":BorealisCo2", ":BorealisCO2", "no class 'BorealisCO2'; did you mean 'BorealisCo2'"),
        (CATALOGUE, "MODELS", "MODEL", "it has no MODELS"),
    ],
)
def test_a_slip_in_an_own_driver_is_told_with_its_place_and_nothing_is_added(
    tmp_path: Path, file: str, right: str, wrong: str, says: str
) -> None:
    folder = tmp_path / "ours"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    for each, old, new in (
        ("catalogue.py", '"borealis_co2":', '"borealis_mine":'),
        (DRIVER, 'maker, kind = "borealis_co2"', 'maker, kind = "borealis_mine"'),
    ):
        text = (folder / each).read_text()
        assert old in text
        (folder / each).write_text(text.replace(old, new))
    right, wrong = (text.replace('"borealis_co2", "Bor', '"borealis_mine", "Bor') for text in (right, wrong))
    text = (folder / file).read_text()
    assert right in text
    (folder / file).write_text(text.replace(right, wrong, 1))
    with pytest.raises(BadFolder, match=says):
        include(folder)
    assert "borealis_mine" not in MODELS
    assert "borealis" not in MODELS
