"""What the suite of all physics back ends needs to know of each."""

import collections
import importlib.util
from typing import Any

import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs.physics import base, cpu
from tests.envs.physics import fakes

# Elsewhere the suite runs on the cpu back end alone.
NO_GPU_BACKEND = (
  ""
  if importlib.util.find_spec("mujoco_warp")
  else "mujoco_warp is not installed here"
)


_WAITING: collections.defaultdict[tuple[int, int, int], list] = (
  collections.defaultdict(list)
)


def lend(
  test: absltest.TestCase, num_envs: int, num_slots: int, num_players: int
) -> base.Physics:
  """A batch of the gpu back end until the test ends, with empty worlds.

  Lent again and again, as recording the graph of a step takes seconds.
  """
  from adaland.envs.physics.gpu import physics as gpu

  waiting = _WAITING[num_envs, num_slots, num_players]
  if waiting:
    physics = waiting.pop()
    empty = base.empty_scene(num_slots, num_players)
    physics.load(np.arange(num_envs), [empty] * num_envs)
  else:
    physics = gpu.GpuPhysics(num_envs, num_slots, num_players, device="cpu")
  test.addCleanup(waiting.append, physics)
  return physics


class BackendTest(parameterized.TestCase):
  """Tests that a subclass runs again on the other back end."""

  backend = "cpu"
  many_slots = 12
  many_steps = 500

  def make(self, num_envs: int, num_slots: int, num_players: int = 1) -> Any:
    if self.backend == "cpu":
      return cpu.CpuPhysics(num_envs, num_slots, num_players, num_threads=1)
    return lend(self, num_envs, num_slots, num_players)

  def world(self, scene: base.Scene) -> Any:
    physics = self.make(1, len(scene.slot_types), len(scene.player_at))
    physics.load(np.array([0]), [scene])
    return physics

  def asleep(self, physics) -> np.ndarray:
    """Whether each slot's free body sleeps, bool [N, S]."""
    if self.backend == "cpu":
      trees = physics.batch.bind("tree_asleep")
    else:
      trees = physics.data.tree_asleep.numpy()
    return trees[: physics.num_envs, 2 * physics.num_players :] >= 0

  def dynamics(self, physics) -> np.ndarray:
    """All that decides how worlds go on, [N, ...]."""
    if self.backend == "cpu":
      return physics.batch.state.copy()
    data = physics.data
    fields = (data.qpos, data.qvel, data.qacc_warmstart, data.tree_asleep)
    rows = np.concatenate([field.numpy() for field in fields], axis=1)
    return rows[: physics.num_envs]

  def went_wrong(self, physics) -> int:
    """Worlds whose contacts or constraints did not fit."""
    if self.backend == "cpu":
      return physics.batch.warning[..., 1].sum()
    return physics.overflows()

  def play(self, physics, steps, seed=0, changes=True) -> list[np.ndarray]:
    """Plays at random, and returns the dynamics after each step."""
    rng = np.random.default_rng(seed)
    count = physics.num_envs
    states = []
    for step in range(steps):
      physics.step(fakes.wander(rng, physics.state()))
      if changes and step % 7 == 6:
        physics.set_slots(
          np.arange(count),
          rng.integers(0, physics.num_slots, count),
          rng.integers(0, 13, count),
          rng.uniform((-3, -3, 1), (3, 3, 2), (count, 3)),
        )
      states.append(self.dynamics(physics))
    return states
