"""Tests of adaland.launch.watching.episodes."""

import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs import land
from adaland.launch.evaluation import rollout
from adaland.launch.watching import episodes
from tests.launch import fakes

_MAKE_LAND = land.maker(land.LandConfig())


class _Counting:
  """A policy whose first head counts its calls; its second numbers the rows."""

  def __init__(self, num_envs):
    self._num_envs = num_envs
    self._calls = 0

  def act(self, step):
    actions = np.zeros((self._num_envs, 6), np.int32)
    actions[:, 0] = self._calls
    actions[:, 1] = np.arange(self._num_envs)
    self._calls += 1
    return actions


class EpisodesTest(parameterized.TestCase):
  def test_actions_of_each_task_up_to_its_end(self):
    tasks = [
      fakes.make_task("3", seconds=2.0, trials=1),
      fakes.make_task("5", seconds=4.0, trials=1),
    ]
    tasks = episodes.longest_first(tasks, 2)
    self.assertEqual([(t.name, t.trials) for t in tasks], [("5", 2), ("3", 2)])
    with absltest.mock.patch.object(rollout.land, "Land", fakes.FakeLand):
      found = episodes.play(
        land.maker(land.LandConfig()),
        tasks,
        lambda envs: _Counting(envs.num_envs),
        7,
      )
    np.testing.assert_array_equal(found.rewards, [[150, 180], [45, 60]])
    self.assertEqual(found.seeds, [7, 8])
    for row, steps in ((0, 60), (1, 30)):
      np.testing.assert_array_equal(found.actions[row][:, 0], range(steps))
      np.testing.assert_array_equal(found.actions[row][:, 1], row)

  @parameterized.parameters(
    # The first task's first trial succeeded; the expert can't do the third.
    ([0.6, 0.9, 0.0, 0.4, 0.0], [1.0, 1.0, 0.0, 1.0, 1.0], 3),
    ([0.0, 0.0], [1.0, 1.0], 0),
    ([1.0, 1.0], [1.0, 1.0], 0),
    ([0.0, 1.0], [0.0, 1.0], 1),
  )
  def test_the_film_is_of_a_task_whose_first_try_failed(
    self, first, expert, index
  ):
    rewards = np.stack([first, np.ones(len(first))], axis=1)
    self.assertEqual(episodes.to_film(rewards, np.array(expert)), index)


if __name__ == "__main__":
  absltest.main()
