"""Acts on accounts and tokens, kept in access.sqlite from the transaction of the act until the controller has them:
a kill of the process between the act and its delivery loses none. Delivered at least once: an entry that the controller
took just before a kill comes a second time, marked as delivered later."""

from __future__ import annotations

import json
from dataclasses import asdict

from api.web.security.access import Access
from api.web.security.act import Act, act_in, later


class Outbox:
    def __init__(self, access: Access) -> None:
        self._access = access
        self._earlier = access.last_posted()
        """Entries up to this number were posted before this process began."""

    def post(self, act: Act) -> None:
        self._access.post(json.dumps(asdict(act)))

    def waiting(self, most: int = 20) -> list[tuple[int, dict[str, str]]]:
        """The oldest entries with their numbers; they stay until `delivered`."""
        found = [(number, act_in(text)) for number, text in self._access.posted(most)]
        return [(number, asdict(self._marked(number, act))) for number, act in found]

    def _marked(self, number: int, act: Act | None) -> Act:
        if act is None:
            return Act("entry not taken", "api", outcome="failed", reason="what stood in access.sqlite is no entry")
        return later(act) if number <= self._earlier else act

    def delivered(self, number: int) -> None:
        self._access.take_out(number)
