"""IKA devices: hotplates, overhead stirrers, incubator shakers, thermoshakers; 9600 7E1, sheet ika-namur.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from drivers.core import registers
from drivers.core.device import Signal
from drivers.core.errors import NoAnswer, Refused
from drivers.core.line import Line
from drivers.core.registers import Table
from drivers.core.signals import Reading, Value
from drivers.devices.ika_namur.device import SELDOM_S, Namur, Watched


class IkaRctDigital(Watched):
    """RCT digital or C-MAG HS control hotplate stirrer. The set point is that of the medium or the plate (IN_SP_1)."""

    table: ClassVar[Table] = registers.load("ika_namur", "rct.csv")
    model = "ika_rct_digital"
    maker = "IKA"
    kind = "stirrer"
    names = ("RCT", "C-MAG")
    seldom: ClassVar[Mapping[str, float]] = {"safety_temperature": SELDOM_S}

    temperature = Signal()
    plate_temperature = Signal()
    temperature_set_point = Signal()
    safety_temperature = Signal()
    speed = Signal()
    speed_set_point = Signal()
    stirring = Signal()
    viscosity_trend = Signal()
    heating = Signal()


class IkaRetControlVisc(IkaRctDigital):
    """RET control-visc hotplate stirrer: a second thermometer, a pH input and a balance more (P)."""

    table: ClassVar[Table] = registers.load("ika_namur", "ret.csv")
    model = "ika_ret_control_visc"
    names = ("IKARET", "RET")

    plate_set_point = Signal()
    second_temperature = Signal()
    ph = Signal()
    weight = Signal()


class IkaEurostar(Watched):
    """EUROSTAR control overhead stirrer."""

    table: ClassVar[Table] = registers.load("ika_namur", "overhead.csv")
    model = "ika_eurostar"
    maker = "IKA"
    names = ("EUROSTAR",)
    heats = False
    seldom: ClassVar[Mapping[str, float]] = dict.fromkeys(("torque_limit", "speed_limit", "safety_speed"), SELDOM_S)

    temperature = Signal()
    speed = Signal()
    speed_set_point = Signal()
    stirring = Signal()
    torque = Signal()
    torque_limit = Signal()
    speed_limit = Signal()
    safety_speed = Signal()


class IkaMicrostar(IkaEurostar):
    """MICROSTAR control overhead stirrer: it loses a speed that is written while it stands still (P, H).

    So such a speed is kept here and given at the next start, behind START_4. Option `start_speed` (1/min): the speed of
    a start before any was written; 30, the slowest, when left out.
    """

    model = "ika_microstar"
    names = ("MICROSTAR",)
    option_names: ClassVar[tuple[str, ...]] = (*Watched.option_names, "start_speed")

    def __init__(self, line: Line, address: int = 0, options: Mapping[str, float | str] | None = None) -> None:
        super().__init__(line, address, options)
        self._start_rpm = float(self.options.get("start_speed", self.specs()["speed_set_point"].low or 30))
        self.check_limits("speed_set_point", self._start_rpm)

    async def write(self, name: str, value: Value) -> Reading:
        """As every stirrer; raises Refused for a speed while it stands still, and keeps it for the start."""
        if name == "speed_set_point" and isinstance(value, (int, float)) and not isinstance(value, bool):
            self.check_limits(name, value)
            self._start_rpm = value
            if (await self.read("stirring")).value is False:
                raise Refused(
                    "standing", f"this stirrer loses a speed while it stands: {value:g} is set when stirring starts"
                )
        return await super().write(name, value)

    async def _stir(self, channel: str, on: bool) -> Reading:
        if not on:
            return await super()._stir(channel, on)
        await self._set(f"START_{channel}")
        row = self._row("speed_set_point")
        await self._set(f"{row.extra['set']} {self._start_rpm:.0f} ")
        await self._read_back("speed_set_point", round(self._start_rpm))
        return await self._watch(True)


class IkaKs4000(Watched):
    """KS 3000 and KS 4000 i control incubator shakers: a heated chamber over a shaker. Replies as of the others (X)."""

    table: ClassVar[Table] = registers.load("ika_namur", "ks.csv")
    model = "ika_ks_4000"
    maker = "IKA"
    kind = "shaker"
    names = ("KS",)
    seldom: ClassVar[Mapping[str, float]] = dict.fromkeys(
        ("external_set_point", "safety_temperature", "safety_speed", "external_offset", "chamber_offset"), SELDOM_S
    )

    temperature = Signal()
    temperature_set_point = Signal()
    external_temperature = Signal()
    external_set_point = Signal()
    safety_temperature = Signal()
    speed = Signal()
    speed_set_point = Signal()
    stirring = Signal()
    safety_speed = Signal()
    external_offset = Signal()
    chamber_offset = Signal()
    device_status = Signal()
    heating = Signal()


class IkaMatrixOrbital(Namur):
    """MATRIX ORBITAL Delta Plus thermoshaker: answers with the question in front (H). It has no known watchdog."""

    table: ClassVar[Table] = registers.load("ika_namur", "matrix.csv")
    model = "ika_matrix_orbital"
    maker = "IKA"
    kind = "shaker"
    names = ("MATRIX",)

    temperature = Signal()
    temperature_set_point = Signal()
    speed = Signal()
    speed_set_point = Signal()
    stirring = Signal()
    heating = Signal()

    async def _firmware(self) -> str:
        try:
            return await self._text("IN_VERSION")
        except NoAnswer:
            return ""
