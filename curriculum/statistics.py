"""Running means and variances that can be saved and restored exactly."""

import math
from typing import Any


class RecentMean:
  """Exponential mean of the latest values, without a start-up bias."""

  def __init__(self, rate: float = 0.01):
    """Makes an empty mean; `rate` is the weight of the newest value."""
    self._rate = rate
    self._sum = 0.0
    self._weight = 0.0

  def add(self, value: float) -> None:
    """Adds one value; values that are not finite are skipped."""
    if math.isfinite(value):
      self._sum += self._rate * (value - self._sum)
      self._weight += self._rate * (1.0 - self._weight)

  @property
  def mean(self) -> float:
    """The mean, 0 before the first value."""
    return self._sum / self._weight if self._weight else 0.0

  def state_dict(self) -> dict[str, Any]:
    """Returns the state as numbers."""
    return {"sum": self._sum, "weight": self._weight}

  def load_state_dict(self, state: dict[str, Any]) -> None:
    """Restores a state from `state_dict`."""
    self._sum, self._weight = float(state["sum"]), float(state["weight"])


class RunningMoments:
  """Mean and variance of all values at first, then of a sliding window.

  The newest of n values has the weight w = max(1/n, 1/window):
  mean += w d and variance = (1 - w) (variance + w d^2), where d is its distance
  from the old mean. For n <= window this is the plain (population) variance.
  """

  def __init__(self, window: int = 1000):
    """Makes empty moments that forget after about `window` values."""
    self._window = window
    self.count = 0
    self.mean = 0.0
    self.variance = 0.0

  def add(self, value: float) -> None:
    """Adds one value."""
    self.count += 1
    weight = 1.0 / min(self.count, self._window)
    distance = value - self.mean
    self.mean += weight * distance
    self.variance = (1.0 - weight) * (self.variance + weight * distance**2)

  def z_score(self, value: float) -> float:
    """Returns (value - mean) / deviation, 0 while there is no deviation."""
    if self.variance <= 0.0:
      return 0.0
    return (value - self.mean) / math.sqrt(self.variance)

  def state_dict(self) -> dict[str, Any]:
    """Returns the state as numbers."""
    return {"count": self.count, "mean": self.mean, "variance": self.variance}

  def load_state_dict(self, state: dict[str, Any]) -> None:
    """Restores a state from `state_dict`."""
    self.count = int(state["count"])
    self.mean, self.variance = float(state["mean"]), float(state["variance"])
