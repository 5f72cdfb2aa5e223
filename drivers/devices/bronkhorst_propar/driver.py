"""Bronkhorst gas mass-flow controllers over ProPar, sheet bronkhorst-propar.md. 38400 8N1, or a node of a FLOW-BUS."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from typing import ClassVar

from drivers.core import registers
from drivers.core.device import Device, LinkLoss, Signal
from drivers.core.errors import LinkLost, NoAnswer, OutOfRange, Refused, WireError, WrongDevice
from drivers.core.line import Line
from drivers.core.signals import Identity, Reading, Value
from drivers.core.wire import propar
from drivers.devices.bronkhorst_propar import chain
from drivers.devices.bronkhorst_propar.chain import Parameter

LONE_NODE = 0x80
"""Always accepted by the instrument one is plugged into (V p. 29, newer instruments)."""
HIGHEST_NODE = 120
SLOWLY_S = 60.0
NORMAL = {"mln/min": 1.0, "ln/min": 1000.0}
"""mL/min in one unit of normal flow (0 °C, 1013.25 hPa)."""
MODES = {
    0: "bus set point", 1: "analog input", 3: "close valve", 4: "controller idle", 7: "set point 100 %", 8: "purge",
    9: "calibration", 12: "set point 0 %", 18: "RS-232 set point", 20: "valve steering", 22: "valve safe state",
}  # fmt: skip
OBEYING = ("bus set point", "RS-232 set point")
"""Modes in which our set point acts (X: the exact set)."""
CHOSEN_HERE = (*OBEYING, "close valve", "set point 0 %", "valve safe state")
"""Modes this driver sets; the others open the valve or hand it over."""
ALARMS = (
    "error", "warning", "minimum alarm", "maximum alarm", "batch limit", "response alarm", "master signal",
    "hardware error",
)  # fmt: skip
CONDEMNING = ("error", "hardware error")
MOST_RAW, FULL_RAW = 41942, 32000
NO_SUCH_PARAMETER = "04"
MAIN = (
    "measured_percent", "setpoint_percent", "control_mode", "alarms", "capacity", "fluid", "capacity_unit",
    "normal_flow", "flow_setpoint",
)  # fmt: skip
"""One chain a poll, so that capacity and unit belong to the flow they come with."""
SLOW = ("temperature", "valve_percent")


class BronkhorstElFlow(Device):
    """EL-FLOW and its like in enhanced binary: one chain of parameters a poll.

    Options: `fluid` = the gas it must be set to (flows are BAD with another); `control_mode` = the mode `prepare`
    brings it into, as it falls back to its default at every power-on (E). Address 128 = the instrument at the cable,
    1 to 120 = a node of the FLOW-BUS behind it. Flow is in mL/min at 0 °C and 1013.25 hPa.
    """

    table = registers.load("bronkhorst_propar", "parameters.csv")
    model = "bronkhorst_el_flow"
    maker = "Bronkhorst"
    kind = "flow controller"
    default_url = "serial:///dev/ttyUSB0?baud=38400&parity=N&stopbits=1"
    default_address = LONE_NODE
    on_link_loss = LinkLoss.KEEPS_SETPOINTS
    safe_state = "set point 0, or control mode close valve; the set point is lost with the power (X)"
    watchdog = "none in the sheet: it keeps its last set point without us, so a gas needs a valve that closes by itself"
    evidence = "VRX"
    timeout_s = 0.5  # the vendor's package waits 0.5 s (P)
    option_names = ("fluid", "control_mode")
    seldom: ClassVar[Mapping[str, float]] = dict.fromkeys(SLOW, SLOWLY_S)

    normal_flow = Signal()
    flow_setpoint = Signal()
    measured_percent = Signal()
    setpoint_percent = Signal()
    capacity = Signal()
    fluid = Signal()
    control_mode = Signal()
    alarms = Signal()
    temperature = Signal()
    valve_percent = Signal()

    def __init__(self, line: Line, address: int = LONE_NODE, options: Mapping[str, float | str] | None = None) -> None:
        """Raises ValueError for an address or option no instrument can have."""
        super().__init__(line, address or LONE_NODE, options)
        if self.address != LONE_NODE and not 1 <= self.address <= HIGHEST_NODE:
            raise ValueError(
                f"address {address} is no node: 1 to {HIGHEST_NODE}, or {LONE_NODE} = the one at the cable"
            )
        mode = self.options.get("control_mode", CHOSEN_HERE[0])
        if mode not in CHOSEN_HERE:
            raise ValueError(f"option control_mode: {mode!r} is none of {', '.join(CHOSEN_HERE)}")
        self.sequence = 0
        self.slowly_due = -math.inf
        self.has_alarms = True
        """Until the instrument refused the chain with it and answered the one without it."""

    # -- one exchange

    async def exchange(self, data: bytes, retries: int = 0) -> bytes:
        """Send one data field and return the data field of the answer; raises Refused for an error frame."""
        self.sequence = (self.sequence + 1) % 256
        sequence = self.sequence

        def parse(buffer: bytearray) -> bytes | None:
            while (frame := propar.take_binary(buffer)) is not None:
                if frame.node == self.address and frame.sequence == sequence:
                    self._refuse(frame.error)
                    return frame.data
            return None

        request = propar.binary_frame(sequence, self.address, data)
        return await self.line.query(request, parse, timeout_s=self.timeout_s, retries=retries)

    def _refuse(self, error: int) -> None:
        if error > 0:
            text = chain.INTERFACE.get(error, "general error")
            raise Refused(f"{error:02X}", f"node {self.address}: the interface says {text}")

    async def ask(self, parameters: Sequence[Parameter]) -> tuple[float | str, ...]:
        """Their values in one chain; asked again once. Raises Refused when one of them does not exist."""
        data = await self.exchange(chain.request(parameters), retries=1)
        return chain.answer(data, parameters, self.address)

    async def put(self, parameter: Parameter, value: float) -> None:
        """Write one number once; raises Refused by the instrument's status."""
        chain.check_status(await self.exchange(chain.write(parameter, value)), self.address)

    def parameter(self, name: str) -> Parameter:
        return Parameter.of(self.table[name])

    # -- who it is

    async def identify(self) -> Identity:
        """Device type, serial number and firmware (process 113); raises WrongDevice when it has no serial number.

        Only the serial number (V) must be there: older instruments may refuse the others (P).
        """
        names = ("device_type", "serial_number", "firmware")
        kind = firmware = ""
        try:
            try:
                kind, serial, firmware = await self.ask([self.parameter(name) for name in names])
            except Refused:
                (serial,) = await self.ask([self.parameter("serial_number")])
        except Refused as refused:
            raise WrongDevice(f"{self.line.name} node {self.address}: no Bronkhorst identity: {refused}") from refused
        return Identity(self.maker, str(kind) or "ProPar instrument", str(serial), str(firmware))

    async def prepare(self) -> None:
        """Bring it into the control mode of option `control_mode`, when it is in another; nothing else is changed."""
        self.slowly_due, self.has_alarms = -math.inf, True
        if wanted := self.options.get("control_mode"):
            await self.write("control_mode", wanted)

    # -- reading

    async def poll(self) -> dict[str, Reading]:
        """One exchange; temperature and valve every minute."""
        readings = self._main(await self._ask_main())
        now = asyncio.get_running_loop().time()
        if now >= self.slowly_due:
            self.slowly_due = now + SLOWLY_S
            for name in SLOW:
                try:
                    readings[name] = await self.read(name)
                except (NoAnswer, LinkLost) as error:
                    self.slowly_due = -math.inf
                    readings |= {slow: self.bad(str(error)) for slow in SLOW if slow not in readings}
                    break
                except WireError as error:
                    readings[name] = self.bad(str(error))
        return readings

    async def read(self, name: str) -> Reading:
        if name not in SLOW:
            return self._main(await self._ask_main())[name]
        (value,) = await self.ask([self.parameter(name)])
        number = float(value)
        if name == "valve_percent":
            number /= 167772.15
            return self.good(number) if number <= 100 else self.bad(f"valve output {value} is above its range (X)")
        return self._finite(number)

    async def _ask_main(self) -> tuple[float | str, ...]:
        """The values of MAIN; `alarms` (P) is "" for an instrument that does not have it."""
        names = [name for name in MAIN if name != "alarms" or self.has_alarms]
        try:
            values = list(await self.ask([self.parameter(name) for name in names]))
        except Refused as refused:
            if not self.has_alarms or refused.code != NO_SUCH_PARAMETER:
                raise
            names.remove("alarms")
            values = list(await self.ask([self.parameter(name) for name in names]))
            self.has_alarms = False
        if not self.has_alarms:
            values.insert(MAIN.index("alarms"), "")
        return tuple(values)

    def _main(self, values: tuple[float | str, ...]) -> dict[str, Reading]:
        raw = dict(zip(MAIN, values, strict=True))
        measure, bits = int(raw["measured_percent"]), int(raw["alarms"] or 0)
        alarms = [text for bit, text in enumerate(ALARMS) if bits >> bit & 1]
        fluid, mode = str(raw["fluid"]), int(raw["control_mode"])
        factor = NORMAL.get(str(raw["capacity_unit"]))
        why = ""
        if bad := [alarm for alarm in alarms if alarm in CONDEMNING]:
            why = f"the instrument reports {' and '.join(bad)}"
        elif fluid != (wanted := self.options.get("fluid", fluid)):
            why = f"the instrument is set to {fluid}, this place is for {wanted}"
        if measure > MOST_RAW:
            measure -= 65536
        over = f"over its range of {100 * MOST_RAW / FULL_RAW:.2f} %" if measure == MOST_RAW else ""
        flow = {
            name: self.bad(why or f"the instrument's unit is {raw['capacity_unit']!r}, not mln/min or ln/min")
            if why or factor is None
            else self._finite(float(raw[name]) * factor)
            for name in ("normal_flow", "flow_setpoint", "capacity")
        }
        percent = self.good(100 * measure / FULL_RAW)
        if over or why:
            percent = self.bad(why or over)
            flow["normal_flow"] = self.bad(why or over)
        setpoint = int(raw["setpoint_percent"])
        return flow | {
            "measured_percent": percent,
            "setpoint_percent": self.good(100 * setpoint / FULL_RAW)
            if setpoint <= FULL_RAW
            else self.bad(f"set point {setpoint} is above {FULL_RAW}"),
            "fluid": self.good(fluid),
            "control_mode": self.good(MODES.get(mode, f"mode {mode}")),
            "alarms": self.bad("the instrument has no alarm info (parameter 28)")
            if raw["alarms"] == ""
            else self.good("; ".join(alarms) or "good"),
        }

    def _finite(self, value: float) -> Reading:
        return self.good(value) if math.isfinite(value) else self.bad(f"the instrument sent {value}")

    async def counter(self) -> float:
        """The totaliser (process 104) in the unit it is set to, which the sheet does not tell; raises WireError."""
        (value,) = await self.ask([self.parameter("counter")])
        return float(value)

    # -- setting

    async def write(self, name: str, value: Value) -> Reading:
        """The flow set point in mL/min (normal), or the control mode in words; sent once and read back.

        Raises OutOfRange, Refused, WireError.
        """
        if name == "control_mode":
            return await self._set_mode(value)
        if name != "flow_setpoint":
            raise Refused("read only", f"{name} of {self.model} is not set here")
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise Refused("no number", f"{value!r} is no flow")
        before = await self._ask_main()
        now = self._main(before)
        capacity, mode = now["capacity"], now["control_mode"].value
        if not value:
            return await self._close(mode)
        if not isinstance(capacity.value, float):
            raise Refused("capacity", f"node {self.address}: no set point: {capacity.why}")
        if not 0 <= value <= capacity.value:
            raise OutOfRange(name, value, "mL/min", 0.0, capacity.value, "the instrument's own capacity")
        self._check_obeys(mode)
        factor = NORMAL[str(before[MAIN.index("capacity_unit")])]
        await self.put(self.parameter(name), value / factor)
        reading = await self.read(name)
        if not isinstance(reading.value, float) or abs(reading.value - value) > capacity.value / FULL_RAW:
            raise Refused("read-back", f"node {self.address}: set point is {reading.value} after {value:g} was written")
        return reading

    def _check_obeys(self, mode: Value | None) -> None:
        if mode not in OBEYING:
            raise Refused("mode", f"node {self.address}: control mode is {mode}: set it to one of {', '.join(OBEYING)}")

    async def _close(self, mode: Value | None) -> Reading:
        """Set point 0 is 0 in any unit, for any gas and with any alarm: the safe state is never refused for those."""
        self._check_obeys(mode)
        await self.put(self.parameter("flow_setpoint"), 0.0)
        after = await self._ask_main()
        if (kept := float(after[MAIN.index("flow_setpoint")])) != 0:
            raise Refused("read-back", f"node {self.address}: set point is {kept:g} after 0 was written")
        return self._main(after)["flow_setpoint"]

    async def _set_mode(self, value: Value) -> Reading:
        if value not in CHOSEN_HERE:
            raise Refused("mode", f"{value!r} is not set here; {', '.join(CHOSEN_HERE)} are")
        reading = await self.read("control_mode")
        if reading.value == value:
            return reading
        number = next(number for number, text in MODES.items() if text == value)
        await self.put(self.parameter("control_mode"), number)
        reading = await self.read("control_mode")
        if reading.value != value:
            raise Refused("read-back", f"node {self.address}: control mode is {reading.value} after {value} was set")
        return reading


class BronkhorstElFlowAscii(BronkhorstElFlow):
    """The same in ASCII: no sequence numbers, so one request at a time and the index alone tells answers apart."""

    model = "bronkhorst_el_flow_ascii"

    async def exchange(self, data: bytes, retries: int = 0) -> bytes:
        def parse(buffer: bytearray) -> bytes | None:
            while (frame := propar.take_ascii(buffer)) is not None:
                self._refuse(frame.error)
                if frame != propar.MALFORMED and frame.node == self.address:
                    return frame.data
            return None

        return await self.line.query(
            propar.ascii_frame(self.address, data), parse, timeout_s=self.timeout_s, retries=retries
        )
