"""Tables of registers: what a row says, and its bytes."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.core import registers
from drivers.core.registers import Row, decode, encode
from drivers.core.signals import Access

TABLE = """# addresses as printed
name,table,address,type,scale,unit,access,low,high,page,note
temperature,input,100,int16,0.1,Cel,r,0,60,41,
temperature_setpoint,holding,200,int16,0.1,Cel,rw,20,50,42,"kept in EEPROM: 1e5 writes"

co2,input,102,uint16,0.01,%,r,0,20,41,
"""


def test_a_table_is_read_as_the_manual_prints_it():
    rows = registers.parse(TABLE, "here")
    assert list(rows) == ["temperature", "temperature_setpoint", "co2"]
    row = rows["temperature_setpoint"]
    assert (row.address, row.wire, row.length, row.low, row.high, row.page) == (200, 199, 1, 20, 50, "42")
    assert row.spec.writable
    assert row.spec.note == "kept in EEPROM: 1e5 writes"
    assert registers.parse(TABLE, "here", counts_from=0)["co2"].wire == 102


def test_an_address_may_be_hexadecimal_as_many_manuals_print_it():
    rows = registers.parse("name,table,address,type,block\nt,holding,0x11A9,float32,0x11A8+4\n", "", counts_from=0)
    assert (rows["t"].wire, rows["t"].block) == (0x11A9, (0x11A8, 4))


def test_columns_of_its_own_are_kept_by_name():
    rows = registers.parse("name,command,unit,access,low,high,page,tag\nweight,SI,g,r,,,3,V\n", "here")
    assert rows["weight"].command == "SI"
    assert rows["weight"].tag == "V"
    assert Row("x").command == ""


def test_blocks_and_lengths():
    rows = registers.parse(
        "name,table,address,length,type,block\nph,holding,2092,,float32_swapped,2090+10\nsn,holding,1312,8,text,\n", ""
    )
    assert rows["ph"].block == (2089, 10)
    assert (rows["ph"].length, rows["sn"].length) == (2, 8)


@pytest.mark.parametrize(
    ("cells", "step"),
    [
        ("int16,0.1,,", 0.1),
        ("uint32_swapped,1,,", 1.0),
        ("float32,1,,", None),
        ("float32_swapped,0.1,,", None),
        ("number,1,,", None),
        ("number,0.01,,", 0.01),
        ("number,1,1,", 0.1),
        ("number,1,0,", 1.0),
        ("int16,0.1,,0.5", 0.5),
        ("float32,1,1,0.5", 0.5),
    ],
)
def test_the_smallest_change_a_device_takes_is_what_the_table_says_or_the_scale_of_a_whole_number(
    cells: str, step: float | None
):
    rows = registers.parse(f"name,type,scale,decimals,step\nt,{cells}\n", "here")
    assert rows["t"].spec.step == step


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("a,input,x,int16,1,Cel,r,,,,", "invalid literal"),
        ("a,input,1,int16,1,Cel,maybe,,,,", "not a valid Access"),
        (",input,1,int16,1,Cel,r,,,,", "without a name"),
        ("a,input,1", "shorter"),
        ("temperature,input,1,int16,1,Cel,r,,,,", "twice"),
    ],
)
def test_a_fault_in_a_table_names_file_and_line(line: str, why: str):
    with pytest.raises(ValueError, match=rf"file.csv:7: .*{why}"):
        registers.parse(TABLE + line + "\n", "file.csv")


def test_a_table_is_read_at_the_first_look_and_not_before():
    table = registers.load("no_such_family")
    with pytest.raises((FileNotFoundError, ModuleNotFoundError)):
        len(table)


def test_a_shipped_table_is_found():
    table = registers.load("memmert_atmoweb", "commands.csv", 0)
    assert len(table) == len(list(table)) > 0
    assert "temperature" in table
    assert table["temperature"].unit == "Cel"


def row(kind: str, scale: float = 1, length: int = 0) -> Row:
    return Row("x", type=kind, scale=scale, length=length or registers.registers_of(kind), access=Access.READ_WRITE)


def test_the_sheets_float_is_low_word_first():
    assert decode(row("float32_swapped"), bytes.fromhex("CD 0C 40 80")) == pytest.approx(4.02503, abs=1e-5)
    assert decode(row("uint32_swapped"), bytes.fromhex("06 E1 00 00")) == 0x06E1
    assert decode(row("text_swapped", length=4), bytes.fromhex("44 4F 55 4F 31 4D 32 30")) == "ODOUM102"


def test_numbers_are_scaled_without_dust():
    assert decode(row("int16", 0.1), (371).to_bytes(2, "big")) == 37.1
    assert decode(row("int16", 0.1), b"\xff\xff") == -0.1
    assert decode(row("uint16", 0.01), (3).to_bytes(2, "big")) == 0.03
    assert decode(row("uint16", 25), (3).to_bytes(2, "big")) == 75


def test_text_ends_at_its_first_zero_and_loses_blanks():
    assert decode(row("text", length=4), b"pH  \0junk"[:8]) == "pH"
    assert encode(row("text", length=2), "pH") == b"pH\0\0"
    assert encode(row("text_swapped", length=2), "pH") == b"Hp\0\0"
    assert decode(row("bool"), b"\0\1") is True
    assert encode(row("bool"), True) == b"\0\1"


@given(st.sampled_from(sorted(registers.KINDS)), st.booleans(), st.sampled_from((1, 0.1, 0.01, 10)), st.data())
def test_what_is_encoded_is_decoded_again(kind: str, swapped: bool, scale: float, data: st.DataObject):
    one = row(kind + ("_swapped" if swapped else ""), scale)
    size = struct.calcsize(registers.KINDS[kind])
    raw = data.draw(st.binary(min_size=size, max_size=size))
    value = decode(one, raw)
    if math.isfinite(value):
        assert decode(one, encode(one, value)) == pytest.approx(value, rel=1e-6, abs=1e-30)


def test_what_does_not_fit_is_refused():
    for kind, value in (("int16", 4000.0), ("uint16", -0.1), ("float32", 1e39), ("int16", math.inf)):
        with pytest.raises(ValueError, match="does not fit"):
            encode(row(kind, 0.1), value)
    for value in (None, "warm"):
        with pytest.raises(ValueError, match="not a number"):
            encode(row("int16"), value)
    with pytest.raises(ValueError, match="longer"):
        encode(row("text", length=1), "pHx")
    with pytest.raises(ValueError, match="instead of"):
        decode(row("int16"), b"\0")
