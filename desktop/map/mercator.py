"""Web Mercator in the unit square, the plane Leaflet draws in."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# Half a degree of room below the pole of the projection: Leaflet itself stops here.
MAX_LATITUDE = 85.0511287798


def project(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Turn WGS-84 degrees into x, y of the unit square (0,0 is north-west); NaN stays NaN."""
    degrees = np.asarray(lat, dtype=np.float64)
    x = np.asarray(lon, dtype=np.float64) / 360.0 + 0.5
    clipped = np.radians(np.clip(degrees, -MAX_LATITUDE, MAX_LATITUDE))
    y = 0.5 - np.arcsinh(np.tan(clipped)) / (2.0 * np.pi)
    return x, y


def unproject(x: float, y: float) -> tuple[float, float]:
    """Turn a place in the unit square back into lon, lat in degrees."""
    return (x - 0.5) * 360.0, math.degrees(math.atan(math.sinh((0.5 - y) * 2.0 * math.pi)))
