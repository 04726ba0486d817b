"""What MuJoCo alone takes for the work that environments have it do.

`Recorder` stands between environments and their physics and keeps what they
ask of it; `Bare` asks the same of physics of its own, so that its worlds are
bit for bit the same, and measures nothing but MuJoCo's calls: the steps, and
the rays of pictures. Loading worlds, putting them back, steering avatars and
testing lines of sight are left out, so it is what no environment can reach.
"""

import time
from collections.abc import Callable, Sequence

import numpy as np

from adaland.envs.physics import base, cpu


class Recorder:
  """Physics that keeps what changes worlds, and the rays of pictures.

  Attributes:
    calls: Name and arguments of each call since `take`; the arguments are
      nowhere written to.
  """

  def __init__(self, physics: cpu.CpuPhysics):
    self._physics = physics
    self.num_envs = physics.num_envs
    self.num_slots = physics.num_slots
    self.num_players = physics.num_players
    self._calls: list[tuple[str, tuple]] = []

  def take(self) -> list[tuple[str, tuple]]:
    """The calls since the last `take`."""
    calls, self._calls = self._calls, []
    return calls

  def load(self, env_ids: np.ndarray, scenes: Sequence[base.Scene]) -> None:
    """See `physics.base.Physics`."""
    self._calls.append(("load", (env_ids, scenes)))
    self._physics.load(env_ids, scenes)

  def restore(self, env_ids: np.ndarray, yaw: np.ndarray) -> None:
    """See `physics.base.Physics`."""
    self._calls.append(("restore", (env_ids, yaw)))
    self._physics.restore(env_ids, yaw)

  def set_slots(
    self,
    env_ids: np.ndarray,
    slots: np.ndarray,
    types: np.ndarray,
    positions: np.ndarray,
  ) -> None:
    """See `physics.base.Physics`."""
    self._calls.append(("set_slots", (env_ids, slots, types, positions)))
    self._physics.set_slots(env_ids, slots, types, positions)

  def step(self, control: base.AvatarControl) -> None:
    """See `physics.base.Physics`."""
    self._calls.append(("step", (control,)))
    self._physics.step(control)

  def state(self) -> base.PhysicsState:
    """See `physics.base.Physics`."""
    return self._physics.state()

  def shared_state(self) -> base.PhysicsState:
    """See `physics.base.Physics`."""
    return self._physics.shared_state()

  def rays(
    self,
    origins: np.ndarray,
    directions: np.ndarray,
    exclude: np.ndarray,
    normals: bool = False,
    env_ids: np.ndarray | None = None,
  ) -> base.RayHits:
    """See `physics.base.Physics`; those with normals are of pictures."""
    if normals:
      self._calls.append(("draw", (origins, directions)))
    return self._physics.rays(origins, directions, exclude, normals, env_ids)


class Bare(cpu.CpuPhysics):
  """The same worlds, of which only MuJoCo's calls are measured.

  Attributes:
    seconds: That they took.
    cpu_seconds: Processor time that they took, all threads counted.
  """

  seconds = 0.0
  cpu_seconds = 0.0

  def replay(self, calls: Sequence[tuple[str, tuple]]) -> None:
    """Does what was recorded."""
    for name, arguments in calls:
      getattr(self, name)(*arguments)

  def simulate(self) -> None:
    """Runs the time steps of a step."""
    self._measured(super().simulate)

  def draw(self, origins: np.ndarray, directions: np.ndarray) -> None:
    """Casts rays for their distances alone."""
    origins = np.asarray(origins, np.float64)
    directions = np.asarray(directions, np.float64)
    self._measured(lambda: self.batch.ray(origins, directions))

  def _measured(self, work: Callable[[], object]) -> None:
    cpu, start = time.process_time(), time.perf_counter()
    work()
    self.seconds += time.perf_counter() - start
    self.cpu_seconds += time.process_time() - cpu
