"""An entry of the audit trail as a person would say it. The trail itself keeps its names: they are hashed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SAID = {
    "run TimeCame": "a time came",
    "run PointsSet": "set points written and read back",
    "run ConditionMet": "condition met",
    "run TransferEnded": "transfer ended",
    "run Answered": "hand step answered",
    "run Decision": "question answered",
    "run Looked": "values looked at",
    "run Amended": "plan of the run changed",
    "run ModeSet": "mode set",
    "run Advanced": "step let begin",
    "output": "set point",
    "alarm state": "alarm looked after",
}


def words(event: Mapping[str, Any]) -> str:
    """What happened, to what, by whom; a step says more than its run, a refusal is said first."""
    said = SAID.get(event["action"], str(event["action"]).replace(".", " "))
    if event["action"] == "run Command":
        said = f"now {event['state']}" if event.get("state") else "command"
    refused = "" if event.get("outcome", "done") == "done" else f"{event['outcome']}: "
    return f"{refused}{said}  {event.get('step') or event['object']}  by {event['actor']}"
