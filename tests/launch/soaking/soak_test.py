"""Tests that a soak plays every task and records what breaks a law."""

import dataclasses

import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs.tasks import parts
from adaland.launch.soaking import laws, soak
from tests.envs import fixtures


def _tasks():
  return [
    dataclasses.replace(fixtures.busy_task(trials=2), name=name)
    for name in "abc"
  ]


class SoakTest(parameterized.TestCase):
  def test_plays_each_task_once_and_breaks_no_law(self):
    found, seen = [], []
    summary = soak.play(
      _tasks(),
      fixtures.CONFIG,
      num_envs=fixtures.NUM_ENVS,
      seed=1,
      on_violation=found.append,
      on_progress=lambda now: seen.append(now.steps),
    )
    self.assertEqual(found, [])
    self.assertEqual((summary.tasks, summary.steps), (3, 3 * 30))
    self.assertGreater(summary.rules_fired, 0)
    self.assertEqual(seen[-1], 90)

  @parameterized.parameters(1, 2)
  def test_a_violation_can_be_played_again(self, num_players):
    def far(t):
      """Yields where all have walked half a metre in the second trial."""
      way = np.linalg.norm(t.after.player_pos - t.start.player_pos, axis=-1)
      for env in np.flatnonzero((way > 0.5).all(1) & (t.trial == 1)):
        yield int(env), f"at {t.after.player_pos[env].tolist()}"

    found = []
    config = dataclasses.replace(fixtures.CONFIG, num_players=num_players)
    tasks = [
      dataclasses.replace(
        task,
        players=(*task.players, parts.PlayerSpec(task.players[0].goal))[
          :num_players
        ],
        hiding=task.hiding * num_players,
      )
      for task in _tasks()
    ]
    with absltest.mock.patch.dict(laws.LAWS, {"far": far}):
      soak.play(tasks, config, fixtures.NUM_ENVS, 1, found.append)
      self.assertNotEmpty(found)
      for violation in found:
        played = violation.played
        self.assertLen(played.actions, violation.step)
        [again] = soak.replay(played, config)
        self.assertEqual(again[:3], violation[:3])
    # Each episode reports a law once.
    names = [violation.played.task.name for violation in found]
    self.assertLen(set(names), len(names))

  def test_every_start_is_checked(self):
    def started(t):
      """Yields where an episode starts."""
      for env in np.flatnonzero(t.first):
        yield int(env), f"at {t.after.player_pos[env].tolist()}"

    found = []
    tasks = [dataclasses.replace(task, trials=1) for task in _tasks()]
    with absltest.mock.patch.dict(laws.LAWS, {"started": started}):
      soak.play(tasks, fixtures.CONFIG, fixtures.NUM_ENVS, 1, found.append)
      names = [violation.played.task.name for violation in found]
      self.assertEqual(names, ["a", "b", "c"])
      for violation in found:
        [again] = soak.replay(violation.played, fixtures.CONFIG)
        self.assertEqual(again[:3], violation[:3])
        self.assertEqual(again.step, 0)


if __name__ == "__main__":
  absltest.main()
