"""Masterflex L/S computerised drives, sheet masterflex-ls.md part A: 4800 7O1, up to 25 drives a chain."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from typing import ClassVar

from drivers.core import registers
from drivers.core.device import LinkLoss, Signal
from drivers.core.errors import BadFrame, NoAnswer, OutOfRange, Refused, WireError, WrongDevice
from drivers.core.fluid import Direction, Motion, MoverStatus, Totals, Use
from drivers.core.line import Line
from drivers.core.peristaltic import ONE_WAY, Peristaltic
from drivers.core.signals import Identity, Reading, Value
from drivers.devices.masterflex_ls import satellite
from drivers.devices.masterflex_ls.satellite import RUNNING, Status

STOPS = 6
LOOKS = 4
LOOK_S = 0.1
REVOLUTION = 0.01
"""Smallest step of V, E and C (M)."""
ROLLS_OVER_AT = 10_000_000.0
"""`C` has seven digits before the point (M)."""
PARKED = 89
"""Number given to a drive that got ours by mistake: there it answers nobody's question."""
WITHOUT_NUMBER = "it had no number any more: it has lost power"
SELDOM_S = 60.0


class MasterflexLs(Peristaltic):
    """One drive. It runs a number of revolutions that it counts down itself (`V`, `G`), or on and on (`G0`).

    Options besides those of every peristaltic pump: `ml_per_rev` of the tube (none may be dosed without it), `chain` =
    how many drives hang on this line, numbered 1, 2 … from the computer outwards (1 = this one alone).
    """

    table = registers.load("masterflex_ls", "commands.csv")
    model = "masterflex_ls"
    maker = "Masterflex"
    kind = "pump"
    default_url = "serial:///dev/ttyUSB0?baud=4800&bits=7&parity=O&stopbits=1"
    default_address = 1
    on_link_loss = LinkLoss.FINISHES_BOUNDED_MOVE
    safe_state = "rotor at rest and no revolutions to go (halted with some to go is only a pause)"
    watchdog = "none in the pages read: G ends at its own revolutions, G0 turns on until H"
    timeout_s = 1.0
    quiet_s = 0.02
    not_sought = "a drive that was never given a number answers nothing else, and asking for it gives it one"
    evidence = "MNWX"
    continuity = (
        "by cumulative revolutions above zero, cleared by Z0 only (M, W); a drive that lost power has lost its number "
        f"(N, W) and says so before it answers again; whether the count survives: ?. {ONE_WAY}"
    )
    fence_quiet_s = 2.0
    fence_why = "a command takes 35 ms at 4800 baud and is carried out on its CR; 2 s leave room for adapter and server"
    seldom: ClassVar[Mapping[str, float]] = {"aux_input": SELDOM_S, "last_key": SELDOM_S}
    option_names: ClassVar[tuple[str, ...]] = (*Peristaltic.option_names, "ml_per_rev", "chain")

    motion = Signal()
    alarm = Signal()
    revolutions = Signal()
    revolutions_to_go = Signal()
    speed = Signal()
    direction = Signal()
    ml_per_rev = Signal()
    control = Signal()
    communication_error = Signal()
    aux_input = Signal()
    last_key = Signal()

    def __init__(self, line: Line, address: int = 1, options: Mapping[str, float | str] | None = None) -> None:
        """Raises ValueError for options that no drive can have."""
        super().__init__(line, address, options)
        self.ml = float(self.options.get("ml_per_rev", 0.0))
        self.chain = int(float(self.options.get("chain", 1)))
        if not 1 <= address <= PARKED - 1:
            raise ValueError(f"satellite number {address} is outside 1 to {PARKED - 1}")
        if self.ml < 0:
            raise ValueError(f"ml_per_rev {self.ml:g} is below 0")
        if not 1 <= self.chain <= 25 or (self.chain > 1 and address > self.chain):
            raise ValueError(f"chain {self.chain} is outside 1 to 25, or has no drive number {address}")
        self._met = False
        """This drive has answered to its number before."""
        self._dose_revolutions = 0.0
        self._seldom_at = float("-inf")
        self._turned = 0.0
        self._rolled_over = 0

    # -- who and how it is

    async def identify(self) -> Identity:
        """Ask the status; a drive that says it has no number is given ours. The drive tells neither model nor serial.

        Raises WrongDevice when more drives without a number are there than option `chain` says.
        """
        try:
            await self._status()
        except NoAnswer:
            if not await self._asks_for_number():
                raise
            await self._give_numbers()
            await self._status()
            if self._met:
                self._latch(WITHOUT_NUMBER)
        self._met = True
        return Identity(self.maker, "L/S satellite")

    async def prepare(self) -> None:
        """Remote control, written only when the drive is in local, and read back. Clears the latched alarm."""
        status = await self._status()
        if not status.remote:
            await self._act("remote")
            if not (await self._status()).remote:
                raise Refused("local", f"{self._name}: still in local control after R")
        self.alarm_text = ""
        self._seldom_at = float("-inf")

    async def status(self) -> MoverStatus:
        """Two questions: what it does, and whether revolutions are left to go. Raises WireError."""
        status = await self._status()
        return MoverStatus(self._motion(status, await self._to_go()), self.alarm_text)

    async def totals(self) -> Totals:
        """Cumulative revolutions as a volume. Raises WireError; Refused when option ml_per_rev is not stated."""
        ml = self._stated_ml()
        return self._totals(await self._revolutions() * ml, REVOLUTION * ml)

    async def poll(self) -> dict[str, Reading]:
        """Four exchanges, and once a minute two more. A drive that does not answer one is not asked the others."""
        now = asyncio.get_running_loop().time()
        everything = now - self._seldom_at >= SELDOM_S
        names = [name for name in self.specs() if everything or name not in self.seldom]
        try:
            status, to_go = await self._status(), await self._to_go()
            clockwise, rpm = await self._speed()
            turned = await self._revolutions()
            values = self._values(status, to_go, clockwise, rpm, turned)
            if everything:
                values |= {"aux_input": await self._aux_input(), "last_key": await self._last_key()}
                self._seldom_at = now
        except WireError as error:
            return dict.fromkeys(names, self.bad(str(error)))
        return {name: self.good(values[name]) for name in names}

    async def read(self, name: str) -> Reading:
        self._seldom_at = float("-inf")
        reading = (await self.poll())[name]
        if reading.value is None:
            raise BadFrame(reading.why)
        return reading

    async def write(self, name: str, value: Value) -> Reading:
        """Set the speed and read it back; not while a dose runs."""
        if not self.specs()[name].writable:
            raise Refused("read only", f"{name} of a drive cannot be set; fluid is moved by start and stop")
        if isinstance(value, str) or value is None:
            raise OutOfRange(name, float("nan"), "1/min", None, None, "a number is wanted")
        self.check_limits(name, value)
        if (await self._status()).doing == RUNNING and self.use is Use.DOSE:
            raise Refused("moving", f"{self._name}: a dose is running; its speed is not changed")
        clockwise, _ = await self._speed()
        return self.good(await self._set_speed(clockwise, round(value, 1)))

    def _values(self, status: Status, to_go: float, clockwise: bool, rpm: float, turned: float) -> dict[str, Value]:
        return {
            "motion": self._motion(status, to_go).value,
            "alarm": self.alarm_text,
            "revolutions": turned,
            "revolutions_to_go": to_go,
            "speed": rpm,
            "direction": "clockwise" if clockwise else "counter-clockwise",
            "ml_per_rev": self.ml,
            "control": "remote" if status.remote else "local",
            "communication_error": satellite.ERRORS[status.error],
        }

    def _motion(self, status: Status, to_go: float) -> Motion:
        if status.doing == RUNNING:
            return Motion.MOVING
        if self.alarm_text:
            return Motion.ALARM
        return Motion.PAUSED if to_go > 0 else Motion.STOPPED

    # -- moving

    async def _program_dose(self, direction: Direction, volume_ml: float, rate_ml_min: float) -> None:
        """`V` may add to what is left (?): so it is cleared first, and what is to go must read exactly as wanted."""
        ml = self._stated_ml()
        revolutions = math.floor(volume_ml / ml / REVOLUTION + 1e-6) / 100
        if not REVOLUTION <= revolutions <= 99999.99:
            raise OutOfRange("dose", volume_ml, "mL", REVOLUTION * ml, 99999.99 * ml, f"{self.model}, {ml:g} mL/rev")
        rpm = await self._program(direction, rate_ml_min)
        await self._act("clear_to_go")
        if (left := await self._to_go()) != 0:
            raise Refused("read-back", f"{self._name}: {left:g} revolutions to go after they were cleared")
        await self._act("set_revolutions", f"{revolutions:08.2f}")
        if abs((left := await self._to_go()) - revolutions) > REVOLUTION / 2:
            raise Refused("read-back", f"{self._name}: {left:g} revolutions to go after {revolutions:g} were set")
        self._dose_revolutions = revolutions
        self.programmed = direction, revolutions * ml, rpm * ml

    async def _program_loop(self, direction: Direction, rate_ml_min: float) -> None:
        rpm = await self._program(direction, rate_ml_min)
        self.programmed = direction, 0.0, rpm * self.ml

    async def _program(self, direction: Direction, rate_ml_min: float) -> float:
        rpm = self._rpm(rate_ml_min)
        status = await self._status()
        motion = self._motion(status, await self._to_go())
        if motion not in (Motion.STOPPED, Motion.ALARM):
            raise Refused(motion.value, f"{self._name}: the drive is {motion.value}, stop it first")
        if not status.remote:
            raise Refused("local", f"{self._name}: the drive is in local control, prepare it first")
        return await self._set_speed(self._clockwise(direction), rpm)

    def _rpm(self, rate_ml_min: float) -> float:
        ml, row = self._stated_ml(), self.table["speed"]
        assert row.low is not None and row.high is not None
        if not row.low * ml * (1 - 1e-9) <= rate_ml_min <= row.high * ml * (1 + 1e-9):
            raise OutOfRange("rate", rate_ml_min, "mL/min", row.low * ml, row.high * ml, f"{self.model}, {ml:g} mL/rev")
        return math.floor(rate_ml_min / ml * 10 + 1e-6) / 10

    async def _set_speed(self, clockwise: bool, rpm: float) -> float:
        if await self._speed() == (clockwise, rpm):
            return rpm
        digits = f"{rpm:04.0f}" if rpm == int(rpm) else f"{rpm:06.1f}"
        await self._act("set_speed", f"{'+' if clockwise else '-'}{digits}")
        found = await self._speed()
        if found[0] is not clockwise or abs(found[1] - rpm) > 0.01:
            raise Refused("read-back", f"{self._name}: {found[1]:g} rpm after {digits} was sent")
        return found[1]

    async def _start_dose(self) -> None:
        """Send `G` once. After NAK the drive's own figures have to show that nothing began."""
        if await self._command("run"):
            return
        status, left = await self._status(), await self._to_go()
        if status.doing != RUNNING and abs(left - self._dose_revolutions) < REVOLUTION / 2:
            raise Refused("NAK", f"{self._name}: the drive did not take G; {self._why(status)}")
        raise BadFrame(f"{self._name}: G was answered NAK, and {left:g} revolutions are to go: what it does is unknown")

    async def _start_loop(self) -> None:
        """Send `G0` once; NAK is no failure on some drives (W), so the status has to show it turn."""
        await self._command("run_on")
        for _ in range(LOOKS):
            if (await self._status()).doing == RUNNING:
                return
            await asyncio.sleep(LOOK_S)
        raise BadFrame(f"{self._name}: started, and it is not seen to turn: what it does is unknown")

    async def _turns(self, direction: Direction, rate_ml_min: float) -> bool:
        running = (await self._status()).doing == RUNNING and await self._to_go() <= 0
        return running and await self._speed() == (self._clockwise(direction), self._rpm(rate_ml_min))

    async def stop(self) -> None:
        """Send `H` until the drive rests, then clear what was left to go. Raises NoAnswer when it does not say so."""
        self._stops += 1
        why = ""
        for _ in range(STOPS):
            try:
                await self._command("halt")
                if (status := await self._status()).doing != RUNNING:
                    if await self._to_go() <= 0:
                        return
                    await self._command("clear_to_go")
                    if await self._to_go() <= 0:
                        return
                why = self._why(status)
            except (NoAnswer, BadFrame, Refused) as error:
                why = str(error)
                if isinstance(error, NoAnswer) and await self._asks_for_number():
                    await self.identify()
        raise NoAnswer(f"{self._name}: not seen to stop: {why}")

    # -- numbers of the drives

    async def _asks_for_number(self) -> bool:
        """ENQ: whether a drive without a number is on the line (N; the answer's exact form is a guess, X)."""
        try:
            return "?" in await self._ask(bytes((satellite.ENQ,)), satellite.text, retries=1)
        except (NoAnswer, BadFrame, Refused):
            return False

    async def _give_numbers(self) -> None:
        """Number the drives of the chain that have none: the nearest is numbered first (N).

        One numbered by mistake is parked, and as long as one is parked none is numbered: ours would be another drive.
        """
        if await self._has(PARKED):
            raise WrongDevice(self._too_many())
        missing = [self.address] if self.chain == 1 else [n for n in range(1, self.chain + 1) if not await self._has(n)]
        for number in missing:
            if not await self._ask(satellite.request(number, ""), satellite.acknowledged):
                raise Refused("NAK", f"{self._name}: number {number:02d} was not taken")
            if not await self._asks_for_number():
                return
        last = missing[-1] if missing else self.address
        await self._ask(satellite.request(last, f"U{PARKED}"), satellite.acknowledged)
        raise WrongDevice(self._too_many())

    def _too_many(self) -> str:
        return (
            f"{self.line.name}: more drives without a number than the {self.chain} of option chain: "
            "state how many there are, and switch all of them off and on"
        )

    async def _has(self, number: int) -> bool:
        try:
            await self._ask(satellite.request(number, "I"), satellite.text)
        except NoAnswer:
            return False
        except BadFrame:  # several at once
            return True
        return True

    # -- the wire

    @property
    def _name(self) -> str:
        return f"drive {self.address:02d}"

    def _stated_ml(self) -> float:
        if not self.ml:
            raise Refused("not calibrated", f"{self._name}: option ml_per_rev has to be stated")
        return self.ml

    def _why(self, status: Status) -> str:
        alarm = satellite.ALARMS.get(status.doing)
        return alarm or f"its last communication error: {satellite.ERRORS[status.error]}"

    async def _status(self) -> Status:
        status = satellite.status(await self._question("I"))
        if status.number != self.address:
            raise BadFrame(f"{self._name}: the status of number {status.number:02d} came")
        if alarm := satellite.ALARMS.get(status.doing):
            self._latch(alarm)
        return status

    async def _revolutions(self) -> float:
        """Cumulative, with the roll-overs this driver has seen."""
        turned = float(satellite.found(satellite.TURNED, await self._question("C"))[1])
        if turned < 0.1 * ROLLS_OVER_AT and self._turned > 0.9 * ROLLS_OVER_AT:
            self._rolled_over += 1
        self._turned = turned
        return turned + self._rolled_over * ROLLS_OVER_AT

    async def _to_go(self) -> float:
        return float(satellite.found(satellite.TO_GO, await self._question("E"))[1])

    async def _speed(self) -> tuple[bool, float]:
        match = satellite.found(satellite.SPEED, await self._question("S"))
        return match[1] == "+", float(match[2])

    async def _aux_input(self) -> bool:
        return satellite.found(satellite.INPUT, await self._question("A"))[1] == "1"

    async def _last_key(self) -> str:
        return satellite.KEYS[satellite.found(satellite.KEY, await self._question("K"))[1]]

    async def _question(self, command: str) -> str:
        return await self._ask(satellite.request(self.address, command), satellite.text, retries=1)

    async def _command(self, name: str, parameter: str = "") -> bool:
        """Send once; whether it was acknowledged. The words come from the table: a 0 too many would be G0."""
        word = self.table[name].command + parameter
        return await self._ask(satellite.request(self.address, word), satellite.acknowledged)

    async def _act(self, name: str, parameter: str = "") -> None:
        if not await self._command(name, parameter):
            raise Refused("NAK", f"{self._name}: {name} {parameter} was not taken")
