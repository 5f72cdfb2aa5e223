"""The bench `perfusion-4` under the real controller: no noise, no person but the test itself."""

from __future__ import annotations

from pathlib import Path

from controller.run.engine import Engine
from simulators.rehearsal import shipped_bench
from tests.controller.quick import QuickLab
from tests.runs.lab import TESTER

TOML = shipped_bench("perfusion-4").read_text("utf-8")
HEAD = """
protocol: perfused
version: "1"
title: Perfused
status: rehearsal
species: none
vessels:
  bed: {kind: perfusion, needs: [temperature, perfusion, dissolved oxygen, medium in, medium out, waste weight]}
materials:
  medium: {recipe: test medium, keeps: 7 d at 4 degC}
environment:
  hold: {temperature: 37 degC, perfusion: 0.2 mL/min}
  end: {temperature: 37 degC, perfusion: 0.1 mL/min}
stages:
  - stage: Seed
    do:
      - set: {temperature: 37 degC, perfusion: 0.2 mL/min}
      - hand: Fill the reservoir of {bed}
        acts: [{pour: 15 mL, into: bed, of: medium, cells: 2e5 cells/mL}]
        write down: {clear: yes/no}
        takes: 5 min
"""
EXCHANGE = """
  - stage: Renew
    do:
      - prime: {volume: 1 mL, of: medium, at: 3 mL/min}
        at most: 90 min
      - exchange:
          in: bed
          withdraw: {to level: 7 mL, at most: 11 mL, at: 2 mL/min}
          then add: {volume: 8 mL, of: medium, at: 2 mL/min}
          drained at most: 90 min
        at most: 2 h
  - stage: Rest
    do:
      - wait: 6 h
"""
WAIT = "  - stage: Rest\n    do:\n      - wait: 6 h\n"
BED = HEAD + EXCHANGE
EXCHANGED = "renew/exchange"


class PerfusedLab(QuickLab):
    """Beds are counted from 1."""

    def __init__(self, folder: Path, *, faults: tuple[str, ...] = (), toml: str = TOML, plant: str = TOML) -> None:
        super().__init__(folder, faults=faults, bench_toml=toml, plant_toml=plant)

    def of(self, bed: int) -> Engine:
        """The run on a bed."""
        return next(each for each in self.runs.engines.values() if each.site.unit.name == f"bed_{bed}")

    async def begin(self, bed: int, text: str = BED) -> Engine:
        """Start a run on a bed, fill it and write that down."""
        run_id = await self.runs.start(text, by=TESTER, unit=f"bed_{bed}")
        assert await self.until(lambda: any(task["run"] == run_id for task in self.runs.tasks()), 900.0), self.of(bed)
        task = next(task for task in self.runs.tasks() if task["run"] == run_id)
        assert task["unit"] == f"bed_{bed}"
        self.bench.hands.at(f"bed_{bed}").pour(self.now, 15.0, 2e5)
        await self.runs.answer(run_id, task["path"], {"clear": True}, TESTER)
        return self.of(bed)

    async def exchanged(self, bed: int, limit_s: float = 7200.0) -> bool:
        return await self.until(lambda: EXCHANGED in self.of(bed).run.finished, limit_s, 5.0)

    def bed(self, name: str, bed: int) -> float:
        """A truth of one bed, such as `reservoir_ml`."""
        head, _, unit = name.partition("_")
        return float(self.truth()[f"{head}_{bed}_{unit}"])

    def flows(self) -> list[float]:
        return [round(self.bed("flow_ml_min", bed), 6) for bed in (1, 2, 3, 4)]
