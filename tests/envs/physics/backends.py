"""Support for tests that every physics back end must pass."""

import collections
import importlib.util
from typing import Any

import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs.physics import base, cpu
from tests.envs.physics import fakes

# Reason to skip the tests of the gpu back end, empty if it can run.
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
  """Lends empty worlds of the gpu back end until the test ends.

  Batches are reused, because recording the graph of a step takes seconds.
  """
  from adaland.envs.physics.gpu.physics import GpuPhysics

  waiting = _WAITING[num_envs, num_slots, num_players]
  if waiting:
    physics = waiting.pop()
    empty = base.empty_scene(num_slots, num_players)
    physics.load(np.arange(num_envs), [empty] * num_envs)
  else:
    physics = GpuPhysics(num_envs, num_slots, num_players, device="cpu")
  test.addCleanup(waiting.append, physics)
  return physics


class BackendTest(parameterized.TestCase):
  """A test case that a subclass repeats with the gpu back end.

  Attributes:
    backend: The back end, "cpu" or "gpu".
    many_slots: Number of slots in tests of crowded worlds.
    many_steps: Number of steps in long tests.
  """

  backend = "cpu"
  many_slots = 12
  many_steps = 500

  def make(self, num_envs: int, num_slots: int, num_players: int = 1) -> Any:
    """Makes empty worlds."""
    if self.backend == "cpu":
      return cpu.CpuPhysics(num_envs, num_slots, num_players, num_threads=1)
    return lend(self, num_envs, num_slots, num_players)

  def world(self, scene: base.Scene) -> Any:
    """Makes one world of a scene."""
    physics = self.make(1, len(scene.slot_types), len(scene.player_at))
    physics.load(np.array([0]), [scene])
    return physics

  def asleep(self, physics) -> np.ndarray:
    """Returns the slots whose free body sleeps, bool [N, S]."""
    if self.backend == "cpu":
      trees = physics.batch.bind("tree_asleep")
    else:
      trees = physics.data.tree_asleep.numpy()
    return trees[: physics.num_envs, 2 * physics.num_players :] >= 0

  def dynamics(self, physics) -> np.ndarray:
    """Returns the state that determines future steps, [N, ...]."""
    if self.backend == "cpu":
      return physics.batch.state.copy()
    data = physics.data
    fields = (data.qpos, data.qvel, data.qacc_warmstart, data.tree_asleep)
    rows = np.concatenate([field.numpy() for field in fields], axis=1)
    return rows[: physics.num_envs]

  def num_overflows(self, physics) -> int:
    """Returns the number of worlds with too many contacts or constraints."""
    if self.backend == "cpu":
      return physics.batch.warning[..., 1].sum()
    return physics.overflows()

  def play(self, physics, steps, seed=0, changes=True) -> list[np.ndarray]:
    """Steps with random controls; returns the dynamics after each step."""
    rng = np.random.default_rng(seed)
    count = physics.num_envs
    states = []
    for step in range(steps):
      physics.step(fakes.random_control(rng, physics.state()))
      if changes and step % 7 == 6:
        physics.set_slots(
          np.arange(count),
          rng.integers(0, physics.num_slots, count),
          rng.integers(0, 13, count),
          rng.uniform((-3, -3, 1), (3, 3, 2), (count, 3)),
        )
      states.append(self.dynamics(physics))
    return states
