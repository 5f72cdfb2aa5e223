"""Numbers or arrays of numbers: what a notebook hands in comes back in the same shape."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Rows = NDArray[np.int64]
Values = float | Array
"""One number, or as many as there are wells."""


def array(value: Values) -> Array:
    return np.asarray(value, dtype=np.float64)
