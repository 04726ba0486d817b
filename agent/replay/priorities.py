"""The one place that decides which priorities reach a store."""

import numpy as np

MIN_PRIORITY = 1e-6
MAX_PRIORITY = 1e6


def clip_priority(priority: float) -> float:
  """Returns a priority that a store can take: finite and positive.

  One negative priority wedges a Reverb table for every client, and infinite
  ones corrupt its probabilities; so not-a-number becomes the least priority
  and everything else is clipped to [1e-6, 1e6].
  """
  finite = np.nan_to_num(float(priority), nan=MIN_PRIORITY)
  return float(np.clip(finite, MIN_PRIORITY, MAX_PRIORITY))
