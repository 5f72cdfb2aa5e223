"""A broken bench file: every fault at once, with file, line, column, field and what would be right."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.__main__ import links, main
from controller.errors import Unusable
from controller.settings import BenchInvalid, Fault, load, parse
from controller.toml_places import place_of
from drivers.core.link import SerialLink
from simulators.rehearsal import shipped_bench
from tests.controller.quick import TOML
from tests.runs import movers


def faults(text: str) -> list[Fault]:
    with pytest.raises(BenchInvalid) as refused:
        parse(text, "bench.toml")
    return refused.value.faults


def line_of(text: str, part: str, nth: int = 1) -> int:
    found = [number for number, line in enumerate(text.splitlines(), 1) if part in line]
    return found[nth - 1]


def test_the_shipped_bench_is_in_order() -> None:
    settings = parse(TOML)
    assert settings.unit("reactor").vessel.level_ml == 72
    assert settings.digest() == parse(TOML).digest()
    assert settings.digest() != parse(TOML.replace("max_ml = 150", "max_ml = 149")).digest()
    with pytest.raises(Unusable, match="there is reactor"):
        settings.unit("zzz")


@pytest.mark.req("RM-04")
@pytest.mark.parametrize("bench", ["stirred-100", "perfusion-4"])
def test_a_site_has_units_a_unit_its_modules_and_a_module_its_channels(bench: str) -> None:
    text = shipped_bench(bench).read_text("utf-8")
    settings = parse(text)
    assert settings.bench.name and settings.bench.zone
    modules = {device.name for device in settings.devices}
    assert len({unit.name for unit in settings.units}) == len(settings.units) > 0
    for unit in settings.units:
        assert unit.devices and modules.issuperset(unit.devices), "a unit is made of modules of its site"
        assert {path.pump for path in unit.paths.values()} <= set(unit.devices), "its pump set is one of them"
        channels = [output.partition(".") for output in unit.roles.values()]
        assert all(module in unit.devices and channel for module, _, channel in channels)
    module, _, channel = next(iter(settings.units[0].roles.values())).partition(".")
    with pytest.raises(BenchInvalid, match="nowhere"):
        parse(text.replace(f'"{module}.{channel}"', f'"nowhere.{channel}"'))
    with pytest.raises(BenchInvalid, match="nothing"):
        parse(text.replace(f'"{module}.{channel}"', f'"{module}.nothing"'))


def test_every_fault_of_the_schema_is_told_at_once_with_its_place() -> None:
    broken = (
        TOML.replace("poll_s = 10", "poll_s = -10", 1)
        .replace("min_ml = 60", 'min_ml = "sixty"')
        .replace('zone = "Asia/Tokyo"', 'zone = "Asia/Tokyo"\ncolour = "red"')
        .replace('name = "pump_out"', 'name = "Pump Out"', 1)
    )
    found = faults(broken)
    assert {fault.field for fault in found} >= {
        "bench.colour",
        "devices.0.poll_s",
        "devices.4.name",
        "units.0.vessel.min_ml",
    }
    places = {fault.field: (fault.line, fault.column) for fault in found}
    assert places["bench.colour"] == (line_of(broken, "colour"), 1)
    assert places["devices.0.poll_s"] == (line_of(broken, "poll_s = -10"), 1)
    assert places["devices.4.name"] == (line_of(broken, "Pump Out"), 1)
    assert places["units.0.vessel.min_ml"] == (line_of(broken, "sixty"), 1)
    for fault in found:
        assert str(fault).startswith(f"bench.toml:{fault.line}:{fault.column}: {fault.field}: ")
        assert fault.reason


def test_names_that_point_nowhere_are_told_with_what_is_near() -> None:
    broken = (
        TOML.replace('model = "memmert_ico"', 'model = "memmert_iko"')
        .replace('link = "balance"', 'link = "ballance"')
        .replace('"ph" = "ph_probe.ph"', '"ph" = "ph_probe.phh"')
        .replace('"dissolved oxygen" = "do_probe.', '"dissolved oxygen" = "d0_probe.')
        .replace('pump = "pump_out"', 'pump = "pump_oot"')
        .replace('witness = "waste weight"', 'witness = "waste wait"')
        .replace('zone = "Asia/Tokyo"', 'zone = "Asia/Tokio"')
    )
    told = "\n".join(str(fault) for fault in faults(broken))
    for near in ("memmert_ico", "balance", "'ph'", "do_probe", "pump_out", "waste weight"):
        assert f"did you mean {near}" in told or f"did you mean '{near}'" in told, near
    assert "'Asia/Tokio' is not a time zone name" in told
    assert len(told.splitlines()) == 7
    lines = [fault.line for fault in faults(broken)]
    assert lines == sorted(lines)


def test_a_name_like_nothing_else_is_told_with_all_there_is() -> None:
    (fault,) = faults(TOML.replace('link = "balance"', 'link = "xyz"'))
    assert fault.reason == "no link 'xyz'; there is balance, incubator, probes, pumps"
    assert fault.field == "devices.5.link"


def test_doubled_names_and_addresses_are_faults() -> None:
    broken = TOML.replace('name = "do_probe"', 'name = "ph_probe"', 1).replace("address = 2", "address = 1")
    told = "\n".join(fault.reason for fault in faults(broken))
    assert "a second device named 'ph_probe'" in told
    assert "address 1 is already taken on link 'probes'" in told


@pytest.mark.parametrize(
    ("right", "wrong", "says"),
    [
        ("tcp://127.0.0.1:18082", "127.0.0.1:18082", "links.pumps: 127.0.0.1:18082: a link is"),
        ("poll_s = 10", "poll = 10", "devices.0.poll: nothing is called that here; did you mean 'poll_s'?"),
        ('kind = "stirred"', "", "units.0.vessel.min_ml: is missing"),
        ("[[units]]", "[[unit]]", "units: is a list: write [[units]]"),
        ("address = 2", 'address = "two"', "devices.2.address: 'two' is not a whole number"),
        ("diameter_mm = 26.7", "diameter_mm = -3", "devices.3.options: diameter_mm -3 is outside 0.1 to 50"),
        (
            "incubator.temperature_setpoint",
            "incubator.temperature",
            "can only be read; 'temperature set' is a set point",
        ),
        ('name = "pump_in"', 'name = "Pump in"', "a small letter first, then small letters, digits, _"),
        ('"memmert_ico"', '"zzz"', "no model 'zzz'; see 'osteon device list'"),
        ('"co2" =', '"carbon" =', "units.0.roles.carbon: no role 'carbon'"),
        ('"incubator.co2"', '"balance.weight"', "units.0.roles.co2: balance.weight is in g, not %"),
        ('paths."medium in"', 'paths."medium inn"', "no fluid path 'medium inn'; did you mean 'medium in'?"),
        ('pump = "pump_in"', 'pump = "balance"', "units.0.paths.medium in.pump: balance moves no fluid"),
    ],
)
def test_what_could_not_work_is_told_before_it_is_tried(right: str, wrong: str, says: str) -> None:
    text = TOML.replace(right, wrong, 1).replace("min_ml = 60", "" if not wrong else "min_ml = 60")
    assert any(says in str(fault) for fault in faults(text))


PERFUSED = shipped_bench("perfusion-4").read_text("utf-8")


@pytest.mark.parametrize(
    ("right", "wrong", "field", "says"),
    [
        ('loop = "loop_1" ', 'loop = "balance" ', "units.0.loop", "balance moves no fluid"),
        ('loop = "loop_1" ', "# ", "units.0.vessel.kind", "a perfused bed needs the pump of its loop"),
        (
            'channel = 1, use = "recirculate"',
            'channel = 1, use = "dose"',
            "units.0.loop",
            "loop_1 would be stopped at every start; give it options",
        ),
        (
            '"perfusion set" = "loop_1.',
            '"perfusion set" = "loop_2.',
            "units.0.roles.perfusion set",
            "is the flow of loop_1: say loop = 'loop_2'",
        ),
        ('pump = "exchange_pump"', 'pump = "loop_1"', "units.0.paths.medium in.pump", "gives no doses"),
        (
            'pump = "exchange_pump"',
            'pump = "other_pump"',
            "units.0.paths.medium out.valve",
            "exchange_valve turns for other_pump already",
        ),
        (
            '"perfusion" = "loop_1.flow_setpoint"',
            '"perfusion" = "loop_1.speed"',
            "units.0.roles.perfusion",
            "not mL/min",
        ),
        ('kind = "perfusion"', 'kind = "percussion"', "units.0.vessel.kind", "'stirred' or 'perfusion'"),
    ],
)
def test_what_could_stop_a_bed_or_lead_a_stroke_astray_is_told(right: str, wrong: str, field: str, says: str) -> None:
    other = '[[devices]]\nname = "other_pump"\nmodel = "new_era_ne1000"\nlink = "valve"\naddress = 7\n'
    options = "options = { diameter_mm = 26.7, capacity_ml = 60 }\n"
    text = PERFUSED.replace(right, wrong, 1).replace("[[units]]", f"{other}{options}[[units]]", 1)
    assert (field, True) in {(fault.field, says in fault.reason) for fault in faults(text)}


def test_a_hose_that_only_draws_cannot_give_a_dose() -> None:
    text = movers.bench("ismatec_reglo_icc").replace("capacity_ml = 60.0", 'capacity_ml = 60.0, stroke = "draw"', 1)
    (fault,) = faults(text)
    assert fault.field == "units.0.paths.medium in.pump"
    assert "pump_in only draws" in fault.reason


def test_vessel_limits_out_of_order_are_a_fault() -> None:
    (fault,) = faults(TOML.replace("level_ml = 72", "level_ml = 50"))
    assert fault.reason == "min_ml <= level_ml <= max_ml does not hold"
    assert fault.line == line_of(TOML, "level_ml")


def test_a_file_that_is_no_toml_is_told_with_line_and_column() -> None:
    (fault,) = faults('[bench]\nname = "x\n')
    assert (fault.line, fault.field) == (2, "(file)")
    assert "not TOML" in fault.reason
    (cut,) = faults("[bench\n")
    assert cut.line >= 1


def test_a_missing_table_is_told() -> None:
    fields = {fault.field for fault in faults("")}
    assert fields == {"bench", "links", "devices", "units"}


def test_a_file_is_read_by_path(tmp_path: Path) -> None:
    (tmp_path / "bench.toml").write_text(TOML, "utf-8")
    assert load(tmp_path / "bench.toml").bench.name == "stirred-100"
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "nowhere.toml")


def test_the_program_ends_with_one_and_starts_nothing_for_a_broken_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bench = tmp_path / "bench.toml"
    bench.write_text(TOML.replace("memmert_ico", "memmert_iko"), "utf-8")
    assert main(["--bench", str(bench), "--data", str(tmp_path / "data")]) == 1
    assert f"{bench}:" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()
    assert main(["--bench", str(tmp_path / "none.toml"), "--data", str(tmp_path / "data")]) == 1
    assert not (tmp_path / "data").exists()


def test_a_serial_link_of_a_bench_has_the_settings_of_its_devices_datasheet() -> None:
    url = "serial:///dev/ttyUSB0"
    link = links(parse(TOML.replace("tcp://127.0.0.1:18081", url)))("probes", url)
    assert isinstance(link, SerialLink)
    assert (link.baud, link.stopbits) == (19200, 2)


# --- places

TEXT = """
[bench]
name = "x"
  indented = 1
[[devices]]
name = "a"
[[devices]]
name = "b"
[devices.options]
speed = 3
[[units]]
[units.vessel]
min_ml = 1
[units.paths."medium in"]
pump = "p"
"waste weight" = 2
"""


@pytest.mark.parametrize(
    ("where", "place"),
    [
        (("bench",), (2, 1)),
        (("bench", "name"), (3, 1)),
        (("bench", "indented"), (4, 3)),
        (("devices", 0, "name"), (6, 1)),
        (("devices", 1, "name"), (8, 1)),
        (("devices", 1, "options", "speed"), (10, 1)),
        (("devices", 1, "model"), (7, 1)),
        (("units", 0, "vessel", "min_ml"), (13, 1)),
        (("units", 0, "paths", "medium in", "pump"), (15, 1)),
        (("units", 0, "paths", "medium in", "waste weight"), (16, 1)),
        (("units", 0, "vessel", "max_ml"), (12, 1)),
        (("nowhere",), (1, 1)),
    ],
)
def test_a_key_is_found_or_the_deepest_part_of_it(where: tuple[int | str, ...], place: tuple[int, int]) -> None:
    assert place_of(TEXT, where) == place


def test_what_the_form_refuses_does_not_hide_what_only_the_whole_file_shows() -> None:
    broken = (
        TOML.replace("min_ml = 60", 'min_ml = "sixty"')
        .replace("poll_s = 10", "poll_s = -10", 1)
        .replace('model = "memmert_ico"', 'model = "memmert_iko"')
        .replace('"dissolved oxygen" = "do_probe.', '"dissolved oxygen" = "d0_probe.')
        .replace('zone = "Asia/Tokyo"', 'zone = "Asia/Tokio"')
    )
    found = {fault.field: (fault.line, fault.reason) for fault in faults(broken)}
    assert set(found) == {
        "bench.zone",
        "devices.0.poll_s",
        "devices.0.model",
        "units.0.roles.dissolved oxygen",
        "units.0.vessel.min_ml",
    }
    assert found["devices.0.model"][0] == line_of(broken, "memmert_iko")


def test_a_device_that_the_form_refuses_is_not_told_to_be_missing_where_it_is_named() -> None:
    broken = TOML.replace('name = "pump_out"', 'name = "Pump Out"', 1)
    assert [fault.field for fault in faults(broken)] == ["devices.4.name"]
