"""Run as a program in a copy of the tree: plants one import at a time, prints which contracts then break, as JSON.

In a process of its own, because grimp finds the packages by importing their names: there the copy comes first.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def broken_contracts() -> list[str]:
    from importlinter.application import use_cases
    from importlinter.configuration import configure
    from importlinter.contracts import forbidden, independence, layers
    from importlinter.domain.contract import registry

    configure()
    registry.register(layers.LayersContract, "layers")
    registry.register(forbidden.ForbiddenContract, "forbidden")
    registry.register(independence.IndependenceContract, "independence")
    options = use_cases.read_user_options(".importlinter")
    report = use_cases.create_report(options, cache_dir=None)
    return [contract.name for contract, check in report.get_contracts_and_checks() if not check.kept]


def main() -> None:
    sys.path.insert(0, str(Path.cwd()))
    outcome = {"": broken_contracts()}
    for contract, (file, line) in json.loads(sys.argv[1]).items():
        path = Path(file)
        before = path.read_text()
        path.write_text(f"{before}\n{line}\n")
        outcome[contract] = broken_contracts()
        path.write_text(before)
    print(json.dumps(outcome))


if __name__ == "__main__":
    main()
