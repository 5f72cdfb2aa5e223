"""Who judges a bench in paced time: asks the world for the truth, the ledger for what was written, the controller."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from api.socket_client import ask
from controller.store.reader import Reader
from drivers.core.fluid import Direction
from simulators.world_client import WorldClient

PUMPS = {"medium in": ("pump_in", "fill"), "medium out": ("pump_out", "waste")}
"""Fluid path -> device, and its name in the truth."""
ANSWER_S = 60.0
"""Wall seconds the controller has for an answer."""


class Witness:
    """Of one data folder and, once `eye` is set, of the world beside it."""

    eye: WorldClient

    def __init__(self, data: Path) -> None:
        self.data = data
        self.deaths, self.power_losses = 0, 0

    def ask(self, do: str, **arguments: object) -> Any:
        return ask(self.data, do, timeout_s=ANSWER_S, **arguments)

    def ledger(self) -> Reader:
        return Reader.open_read_only(self.data)

    def held_ml(self, name: str) -> float:
        """Liquid and air truly in a syringe, by its name in the truth."""
        truth = self.eye.truth()
        self.now = float(truth["at"])
        return float(truth[f"{name}_liquid_ml"]) + float(truth[f"{name}_air_ml"])

    def gain(self, name: str) -> float:
        """True volume of a syringe for each mL its pump counts."""
        surroundings: Any = self.eye.snapshot()["surroundings"]
        return float(surroundings["volumes"][name]["gain"])

    def decide(self, run: dict[str, Any]) -> list[str]:
        """Answer every open question of a held run from the truth, as a person at the bench would."""
        answers: list[str] = []
        for step in run["steps"]:
            if step["question"]:
                answer, ml = self._true_answer(step)
                self.ask("decide", run=run["run"], path=step["path"], answer=answer, volume_ml=ml, why="looked")
                answers.append(f"{step['path']}: {answer} {'' if ml is None else f'{ml:.2f} mL'}")
        return answers

    def _true_answer(self, step: dict[str, Any]) -> tuple[str, float | None]:
        """What the plant says about the one unknown stroke of a step; other questions no crash may raise."""
        with self.ledger() as ledger:
            rows = [row for row in ledger.doses(path=step["path"], run_id="run-1") if row.state == "unknown"]
        assert rows, f"a question that no unknown stroke explains: {step['question']}"
        (row,) = rows
        surplus = round(self.surplus(row.fluid_path), 3)
        if row.stroke == Direction.DRAW:
            return "nothing", max(0.0, surplus)
        return ("delivered", -surplus) if surplus < -0.05 else ("nothing", None)

    def surplus(self, path: str) -> float:
        """True content of a syringe less what the ledger says is in it, mL of the pump's own counting."""
        name = PUMPS[path][1]
        held = self.held_ml(name) / self.gain(name)
        with self.ledger() as ledger:
            rows = [row for row in ledger.doses() if row.fluid_path == path]
        booked = {stroke: sum(row.moved_ml or 0.0 for row in rows if row.stroke == stroke) for stroke in Direction}
        return held - booked[Direction.DRAW] + booked[Direction.DELIVER]
