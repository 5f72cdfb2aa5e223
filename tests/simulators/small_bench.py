"""A bench of a pump pair and a balance: enough for hosts, worlds and snapshots."""

from __future__ import annotations

import tomllib

TEXT = """
[bench]
name = "small"
zone = "Asia/Tokyo"
[links]
pumps = "tcp://127.0.0.1:0"
balance = "tcp://127.0.0.1:0"
[[devices]]
name = "pump_in"
model = "new_era_ne1000"
link = "pumps"
address = 0
options = { diameter_mm = 26.7, capacity_ml = 60 }
[[devices]]
name = "pump_out"
model = "new_era_ne1000"
link = "pumps"
address = 1
options = { diameter_mm = 26.7, capacity_ml = 60 }
[[devices]]
name = "balance"
model = "mettler_toledo_mt_sics"
link = "balance"
[[units]]
name = "reactor"
[units.vessel]
kind = "stirred"
min_ml = 60
max_ml = 150
level_ml = 72
[simulation]
plant = "stirred-100"
[simulation.places]
pump_in = "fill syringe"
pump_out = "waste syringe"
balance = "waste pan"
"""

CONFIG = tomllib.loads(TEXT)
