"""Tests of adaland.launch.evaluation.controls."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from absl.testing import absltest

from adaland.agent import acting
from adaland.envs import land
from adaland.envs.tasks.task import (
  Literal,
  ObjectType,
  Player,
  PlayerSpec,
  World,
)
from adaland.launch import errors
from adaland.launch.evaluation import controls, policies, rollout
from tests.launch import fakes

_MAKE_LAND = land.maker(land.LandConfig())


def _agent(num_envs) -> policies.Agent:
  """Returns an agent that remembers everything it saw in this episode.

  Its memory is the sum of the tasks' names, which its first head outputs.
  """

  def init(batch_size):
    zeros = jnp.zeros(batch_size)
    return acting.ActorState({"sum": zeros}, zeros, zeros)

  def act(params, state, observation, first, key):
    del params, key
    memory = jnp.where(first, 0, state.memory["sum"]) + observation["name"]
    action = np.zeros((len(first), 6), np.int32)
    action[:, 0] = memory
    output: Any = absltest.mock.Mock(action=action)
    return output, state._replace(memory={"sum": memory})

  return policies.Agent(acting.ActorCore(init, act), {}, num_envs, seed=0)


def _task(name: str, color: str, **more):
  """Returns a task whose goal is to be near a cube."""
  cube = ObjectType.from_name(f"{color} cube")
  spec = PlayerSpec(Literal("near", Player(1), cube))
  return fakes.make_task(name, players=(spec,), **more)


class _Land(fakes.FakeLand):
  """Environments that show the tasks' names."""

  def _step(self, reward, first, last, trial_last):
    names = np.array([float(task.name) for task in self.tasks])
    step = super()._step(reward, first, last, trial_last)
    return step._replace(observation={"name": names})


class SwappedTest(absltest.TestCase):
  def test_memories_are_the_other_task_s(self):
    made: list[_Land] = []

    def make(*args):
      made.append(_Land(*args))
      return made[-1]

    colors = ("black", "purple", "yellow")
    tasks = [_task(*each) for each in zip("125", colors, strict=True)]
    with absltest.mock.patch.object(rollout.land, "Land", make):
      rewards = controls.swapped_rewards(
        _MAKE_LAND,
        tasks,
        3,
        lambda envs: _agent(envs.num_envs),
        seed=0,
      )
    # Each of 15 steps of trial k from 0 gives name + k.
    np.testing.assert_array_equal(
      rewards, 15 * np.array([[1, 2, 3], [2, 3, 4], [5, 6, 7]])
    )
    [environments] = made
    self.assertEqual([t.name for t in environments.tasks], list("122551"))
    seen = np.array(environments.actions)[:45, :, 0]  # [steps, rows]
    steps = np.arange(45)
    # The neighbour's memory of earlier trials, and its own of this one.
    for row, own, other in ((0, 1, 2), (2, 2, 5), (4, 5, 1)):
      expected = steps // 15 * 15 * other + (steps % 15 + 1) * own
      np.testing.assert_array_equal(seen[:, row], expected)
      np.testing.assert_array_equal(seen[:, row + 1], (steps + 1) * other)

  def test_repeats_are_averaged_and_trials_take_the_task_s_time(self):
    tasks = [
      _task("1", "black", seconds=2.0),
      _task("2", "purple", seconds=4.0),
    ]
    played = []

    def play(config, jobs, make_policy, seed, on_progress):
      del config, make_policy, on_progress
      self.assertEqual(seed, 5)
      played.extend(jobs)
      return [np.array([i, 2.0 * i]) for i, _ in enumerate(jobs)]

    with absltest.mock.patch.object(rollout, "play", play):
      rewards = controls.swapped_rewards(
        _MAKE_LAND,
        tasks,
        2,
        absltest.mock.Mock(),
        5,
        repeats=2,
      )
    self.assertEqual(
      [(job.name, job.trials, job.trial_seconds) for job in played],
      2 * [("1", 2, 2.0), ("2", 2, 2.0)] + 2 * [("2", 2, 4.0), ("1", 2, 4.0)],
    )
    np.testing.assert_array_equal(rewards, [[1, 2], [5, 10]])

  def test_the_other_task_has_another_game(self):
    black, purple = (_task("1", color) for color in ("black", "purple"))
    # The third task equals the first in everything but its world.
    again = _task("1", "black", world=World(seed=1))
    for tasks, expected in (
      ([black, again, purple], [2, 2, 0]),
      ([black, purple, again], [1, 2, 1]),
      ([black, again], []),
      ([], []),
    ):
      self.assertEqual(controls.others(tasks), expected)

  def test_tasks_that_have_no_control_are_refused(self):
    black, purple = (_task("1", color) for color in ("black", "purple"))
    controls.check_tasks([black, purple], 2)
    for tasks, trials, message in (
      ([black], 2, "1 task with 2 trials, allowed: at least 2 tasks and 2"),
      ([black, purple], 1, "2 tasks with 1 trial, allowed: at least 2 tasks"),
      ([black, black], 2, "2 tasks with the same goal and rules, allowed: at"),
    ):
      with self.assertRaisesRegex(errors.UserError, message):
        controls.check_tasks(tasks, trials)


if __name__ == "__main__":
  absltest.main()
