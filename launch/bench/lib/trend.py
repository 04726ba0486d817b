"""A line through a series of measurements, and its standard error."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Trend(NamedTuple):
  """A line fitted to a series.

  Attributes:
    slope: Growth per unit of time.
    stderr: Standard error of the slope.
    mean: Mean of the series.
  """

  slope: float
  stderr: float
  mean: float


def fit(times: Sequence[float], values: Sequence[float]) -> Trend:
  """Fits a line by least squares.

  A process's memory is close to that of a moment before, so neighbours are not
  independent and the textbook standard error is too small. As usual for such
  series (Santer et al. 2000, "Statistical significance of trends and trend
  differences in layer-average atmospheric temperature time series", eq. 4 to
  6), n measurements count as

      n_e = n (1 - r) / (1 + r)

  independent ones, where r is the correlation of each residual e_i with the
  next. A series that settles would count for fewer than a line has parameters,
  so n_e is at least three. Then

      stderr^2 = sum e_i^2 / (n_e - 2) / sum (t_i - mean t)^2.

  Args:
    times: Times of the measurements, [n], not all the same.
    values: Measurements, [n].

  Raises:
    ValueError: If there are fewer than three, or all at one time.
  """
  if len(times) != len(values) or len(times) < 3:
    raise ValueError(
      f"{len(times)} times and {len(values)} values; a trend needs three of "
      "each"
    )
  t = np.asarray(times, np.float64) - np.mean(times)
  v = np.asarray(values, np.float64)
  spread = float(np.sum(t**2))
  if spread == 0.0:
    raise ValueError("all values were measured at one time")
  slope = float(np.sum(t * v) / spread)
  residual = v - v.mean() - slope * t
  squares = float(np.sum(residual**2))
  if squares == 0.0:
    return Trend(slope, 0.0, float(v.mean()))
  r = float(np.sum(residual[:-1] * residual[1:]) / squares)
  # Negatively correlated neighbours are taken as independent.
  effective = max(3.0, len(t) * (1 - max(r, 0.0)) / (1 + max(r, 0.0)))
  stderr = math.sqrt(squares / (effective - 2) / spread)
  return Trend(slope, stderr, float(v.mean()))
