from __future__ import annotations

import pytest

from protocols.plan import Plan
from tests.protocols.answering import compressed_plan, shipped_plan


@pytest.fixture(scope="session")
def shipped() -> Plan:
    return shipped_plan()


@pytest.fixture(scope="session")
def compressed() -> Plan:
    return compressed_plan()
