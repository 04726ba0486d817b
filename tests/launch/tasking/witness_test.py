"""Tests of finding witnesses in batches; testset_test replays them."""

import numpy as np
from absl.testing import absltest

from adaland.envs import land
from adaland.launch.tasking import witness
from tests.launch import fakes


class FakePlayer:
  """A player that counts its observations."""

  def __init__(self, num_envs, seed):
    self._num_envs, self.seed = num_envs, seed
    self._looks = 0

  def observe(self, world):
    del world
    self._looks += 1

  def act(self, world):
    del world
    return np.full((self._num_envs, 6), self._looks)


class FakeLand(fakes.FakeLand):
  """Environments that take actions of a list of players."""

  def step(self, actions):
    return super().step(actions[:, 0])


class FindTest(absltest.TestCase):
  def test_tasks_are_played_in_batches_of_similar_length(self):
    made, said = [], []

    def make_land(num_envs, config, next_task, seeds):
      made.append(FakeLand(num_envs, config, next_task, seeds))
      return made[-1]

    tasks = [
      fakes.make_task(name, seconds=seconds)
      for name, seconds in (("1", 6.0), ("2", 2.0), ("3", 4.0))
    ]
    patch = absltest.mock.patch.object
    with (
      patch(witness, "_MAX_ENVS", 2),
      patch(witness.land, "Land", make_land),
      patch(witness.expert, "Expert", FakePlayer),
    ):
      found = witness.find(
        tasks,
        land.LandConfig(),
        seed=10,
        progress=lambda *counts: said.append(counts),
      )
    # A task's name is its reward per step; its own seed is 10 plus its index.
    self.assertEqual([x.reward for x in found], [45.0, 2 * 15.0, 3 * 30.0])
    self.assertEqual([x.seed for x in found], [10, 11, 12])
    for each, steps in zip(found, (45, 15, 30), strict=True):
      self.assertEqual(each.actions.shape, (steps, 1, 6))
      np.testing.assert_array_equal(
        each.actions[:, 0, 0], np.arange(1, steps + 1)
      )
    self.assertEqual([x.seeds for x in made], [(11, 12), (10,)])
    self.assertEqual([len(x.actions) for x in made], [30, 45])
    self.assertEqual({task.trials for x in made for task in x.tasks}, {1})
    self.assertEqual(said, [(2, 3), (3, 3)])


if __name__ == "__main__":
  absltest.main()
