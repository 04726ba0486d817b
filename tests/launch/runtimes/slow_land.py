"""Settings of a run that waits most of the time, as its tests do.

Its environments sleep at every step, and its learner draws each unroll a few
times only; so the run takes little of the machine from other tests.
"""

import time
from typing import Any

from adaland.envs import land, land_types

_STEP_SECONDS = 0.05


class SlowLand(land.Land):
  """Environments of which a step takes a while, but no processor."""

  def step(self, actions: Any) -> land_types.Step:
    """See `Land.step`."""
    time.sleep(_STEP_SECONDS)
    return super().step(actions)


SETTINGS = (
  f"factories.environment={__name__}:SlowLand",
  # The learner makes a hundred updates and then waits for actors, who act for a
  # minute before they wait for a learner that is away.
  "replay.samples_per_insert=2",
  "replay.error_buffer=400",
)
