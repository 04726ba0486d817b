"""Settings of a run that, like its tests, waits most of the time.

Its environments sleep at every step, and its learner draws each unroll only a
few times, so the run leaves most of the machine to other tests.
"""

import time
from typing import Any

from adaland.envs import land, land_types

_STEP_SECONDS = 0.05


class SlowLand(land.Land):
  """Environments whose steps take time but no processor."""

  def step(self, actions: Any) -> land_types.Step:
    """See `Land.step`."""
    time.sleep(_STEP_SECONDS)
    return super().step(actions)


SETTINGS = (
  f"factories.environment={__name__}:SlowLand",
  # The learner makes a hundred updates and then waits for actors, which act for
  # a minute before they wait for an absent learner.
  "replay.samples_per_insert=2",
  "replay.error_buffer=400",
)
