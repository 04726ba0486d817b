"""Environments without physics whose state can be shown."""

from typing import Any

from tests.launch import fakes
from tests.launch.soaking import states


class SeenLand(fakes.FakeLand):
  """Environments in which nothing moves; see `fakes` for their rewards."""

  def state_view(self, i) -> Any:
    now = super().state_view(i)
    view = states.room().row(0)
    return view._replace(trial=int(now.trial), step=int(now.step))
