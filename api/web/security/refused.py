"""A no of the security rooms, in a sentence; over HTTP it becomes the problem of the same kind."""

from __future__ import annotations

from api.refusal import Refusal


class Refused(Refusal):
    """`kind` is one of problems.KINDS; `retry_after_s` where waiting helps."""

    def __init__(self, kind: str, text: str, retry_after_s: float | None = None) -> None:
        super().__init__(text)
        self.kind, self.retry_after_s = kind, retry_after_s
