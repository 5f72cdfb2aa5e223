"""Times that people write."""

from __future__ import annotations

import pytest

from api.refusal import Refusal
from api.site_time import parse_time


@pytest.mark.req("TM-06")
def test_second_60_of_a_leap_second_is_accepted():
    assert parse_time("2016-12-31T23:59:60Z", "UTC") == parse_time("2016-12-31T23:59:59Z", "UTC")
    assert parse_time("2017-01-01T08:59:60", "Asia/Tokyo") == parse_time("2016-12-31T23:59:59Z", "UTC")
    with pytest.raises(Refusal, match="is not a time"):
        parse_time("2017-01-01T08:59:61", "Asia/Tokyo")
