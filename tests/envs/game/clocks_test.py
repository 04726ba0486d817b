"""Tests for the clocks, the observation of time, and start yaws."""

import json

import jax.numpy as jnp
import numpy as np
from absl.testing import absltest

from adaland.envs import constants
from adaland.envs.game import clocks
from adaland.envs.tasks import json_files
from adaland.envs.tasks.literals import Literal
from tests.envs import fixtures


def _clock(trial, step, trials, trial_steps):
  fields = (trial, step, trials, trial_steps)
  return clocks.Clock(*(jnp.asarray([x], jnp.int32) for x in fields))


class TickTest(absltest.TestCase):
  def test_counts_steps_and_trials_to_the_end_of_the_episode(self):
    now = _clock(0, 0, 2, 3)
    ticks = []
    for _ in range(6):
      now, trial_last, last = clocks.tick(now)
      ticks.append(
        (
          int(now.trial[0]),
          int(now.step[0]),
          bool(trial_last[0]),
          bool(last[0]),
        )
      )
    self.assertEqual(
      ticks,
      [
        (0, 1, False, False),
        (0, 2, False, False),
        (1, 0, True, False),
        (1, 1, False, False),
        (1, 2, False, False),
        (1, 3, True, True),
      ],
    )


class HostClockTest(absltest.TestCase):
  def test_counts_from_the_start_of_each_environment(self):
    clock = clocks.HostClock(2)
    clock.start(np.array([0, 1]), np.array([1, 2]), np.array([2, 2]))
    ends = []
    for step in range(5):
      # Environment 0 ends at its second step and starts again at its third.
      starting = np.array([step == 2, False])
      ends.append(np.stack(clock.tick(starting)).astype(int).tolist())
      if starting[0]:
        clock.start(np.array([0]), np.array([2]), np.array([9]))
    # [trials, episodes] that end, in both environments.
    self.assertEqual(
      ends,
      [
        [[0, 0], [0, 0]],
        [[1, 1], [1, 0]],
        [[0, 0], [0, 0]],
        [[0, 1], [0, 1]],
        [[0, 1], [0, 1]],
      ],
    )
    self.assertEqual([x[0] for x in clock.now], [0, 2, 2, 9])


class FeaturesTest(absltest.TestCase):
  def test_in_the_second_of_four_trials(self):
    # Trial 2 of 4, 10 of 30 steps taken: 20 steps left, then one more trial
    # before the last.
    unit = constants.STEP_SECONDS / constants.MAX_TRIAL_SECONDS
    np.testing.assert_allclose(
      clocks.features(_clock(1, 10, 4, 30))[0],
      [0, 0, 1, 0, 0, 0, 50 * unit, 20 * unit, 30 * unit, 30 * unit],
      rtol=1e-6,
    )

  def test_more_than_five_trials(self):
    features = clocks.features(_clock(0, 0, 6, 30))[0]
    np.testing.assert_array_equal(features[:6], [0, 0, 0, 0, 0, 1])
    features = clocks.features(_clock(1, 0, 6, 30))[0]
    np.testing.assert_array_equal(features[:6], [0, 0, 0, 0, 1, 0])

  def test_in_the_last_trial_but_one(self):
    unit = constants.STEP_SECONDS / constants.MAX_TRIAL_SECONDS
    np.testing.assert_allclose(
      clocks.features(_clock(2, 10, 4, 30))[0],
      [0, 1, 0, 0, 0, 0, 20 * unit, 20 * unit, 30 * unit, 30 * unit],
      rtol=1e-6,
    )

  def test_in_the_last_trial(self):
    unit = constants.STEP_SECONDS / constants.MAX_TRIAL_SECONDS
    np.testing.assert_allclose(
      clocks.features(_clock(3, 30, 4, 30))[0],
      [1, 0, 0, 0, 0, 0, 0, 0, 30 * unit, 0],
      rtol=1e-6,
    )


class StartYawTest(absltest.TestCase):
  def test_depends_on_seed_episode_task_and_trial_alone(self):
    arguments = [(0, 0, 7, 0), (1, 0, 7, 0), (0, 1, 7, 0), (0, 0, 8, 0)]
    arguments.append((0, 0, 7, 1))
    yaws = [clocks.start_yaw(*a, num_players=1)[0] for a in arguments]
    again = [clocks.start_yaw(*a, num_players=1)[0] for a in arguments]
    self.assertEqual(yaws, again)
    self.assertLen(set(yaws), 5)

  def test_starts_never_change(self):
    yaws = clocks.start_yaw(3, 2, 2**63 + 5, trial=1, num_players=2)
    np.testing.assert_allclose(yaws, [2.7538779, 0.20241655], rtol=1e-6)

  def test_is_uniform(self):
    yaws = [clocks.start_yaw(0, 0, 7, t, num_players=2) for t in range(2000)]
    counts, _ = np.histogram(yaws, bins=8, range=(-np.pi, np.pi))
    # Binomial, 500 each with a standard deviation of 21.
    self.assertLess(np.abs(counts - 500).max(), 100)

  def test_equal_tasks_have_equal_keys(self):
    goal = Literal("near", fixtures.PLAYER, fixtures.CUBE)

    def at(position):
      objects = [(fixtures.CUBE, position)]
      return fixtures.make_task(objects, goal, player_at=position)

    given = (2, 1), (2.0, 1.0), (np.float64(2), 1), np.array([2, 1])
    tasks = [at(position) for position in given]
    for task in tasks:
      self.assertEqual(task, tasks[0])
      read = json_files.loads(json.dumps(json_files.to_json(task)))
      for equal in (task, read):
        self.assertEqual(clocks.task_key(equal), clocks.task_key(tasks[0]))
    other = at((2.0, 1.5))
    self.assertNotEqual(clocks.task_key(other), clocks.task_key(tasks[0]))


if __name__ == "__main__":
  absltest.main()
