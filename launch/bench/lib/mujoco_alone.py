"""The time of MuJoCo's calls alone, for the same work as environments'.

`Recorder` stands between environments and their physics and records the calls.
`MujocoAlone` repeats them on a second physics, so that its worlds are the same
bit for bit, and measures only MuJoCo's calls: the steps and the rays of
pictures. Loading and restoring worlds, steering avatars and testing lines of
sight are left out, so no environment can be as fast.
"""

import time
from collections.abc import Callable, Sequence

import numpy as np

from adaland.envs.physics import base, cpu


class Recorder:
  """Physics that records the calls that change worlds or draw pictures.

  Args:
    physics: Executes the calls.

  Attributes:
    num_envs: Number of environments.
    num_slots: Number of object slots.
    num_players: Number of players.
  """

  def __init__(self, physics: cpu.CpuPhysics):
    self._physics = physics
    self.num_envs = physics.num_envs
    self.num_slots = physics.num_slots
    self.num_players = physics.num_players
    self._calls: list[tuple[str, tuple]] = []

  def take(self) -> list[tuple[str, tuple]]:
    """Returns name and arguments of the calls since the last `take`."""
    calls, self._calls = self._calls, []
    return calls

  def load(self, env_ids: np.ndarray, scenes: Sequence[base.Scene]) -> None:
    """Implements `physics.base.Physics`."""
    self._calls.append(("load", (env_ids, scenes)))
    self._physics.load(env_ids, scenes)

  def restore(self, env_ids: np.ndarray, yaw: np.ndarray) -> None:
    """Implements `physics.base.Physics`."""
    self._calls.append(("restore", (env_ids, yaw)))
    self._physics.restore(env_ids, yaw)

  def set_slots(
    self,
    env_ids: np.ndarray,
    slots: np.ndarray,
    types: np.ndarray,
    positions: np.ndarray,
  ) -> None:
    """Implements `physics.base.Physics`."""
    self._calls.append(("set_slots", (env_ids, slots, types, positions)))
    self._physics.set_slots(env_ids, slots, types, positions)

  def step(self, control: base.AvatarControl) -> None:
    """Implements `physics.base.Physics`."""
    self._calls.append(("step", (control,)))
    self._physics.step(control)

  def state(self) -> base.PhysicsState:
    """Implements `physics.base.Physics`."""
    return self._physics.state()

  def shared_state(self) -> base.PhysicsState:
    """Implements `physics.base.Physics`."""
    return self._physics.shared_state()

  def rays(
    self,
    origins: np.ndarray,
    directions: np.ndarray,
    exclude: np.ndarray,
    normals: bool = False,
    env_ids: np.ndarray | None = None,
  ) -> base.RayHits:
    """Implements `physics.base.Physics`; rays with normals are pictures'."""
    if normals:
      self._calls.append(("draw", (origins, directions)))
    return self._physics.rays(origins, directions, exclude, normals, env_ids)


class MujocoAlone(cpu.CpuPhysics):
  """Physics with only MuJoCo's calls measured.

  Attributes:
    seconds: Time of the calls.
    cpu_seconds: Processor time of the calls, summed over all threads.
  """

  seconds = 0.0
  cpu_seconds = 0.0

  def replay(self, calls: Sequence[tuple[str, tuple]]) -> None:
    """Repeats recorded calls."""
    for name, arguments in calls:
      getattr(self, name)(*arguments)

  def simulate(self) -> None:
    """Runs the substeps of a step."""
    self._measured(super().simulate)

  def draw(self, origins: np.ndarray, directions: np.ndarray) -> None:
    """Casts rays for their distances only."""
    origins = np.asarray(origins, np.float64)
    directions = np.asarray(directions, np.float64)
    self._measured(lambda: self.batch.ray(origins, directions))

  def _measured(self, work: Callable[[], object]) -> None:
    cpu, start = time.process_time(), time.perf_counter()
    work()
    self.seconds += time.perf_counter() - start
    self.cpu_seconds += time.process_time() - cpu
