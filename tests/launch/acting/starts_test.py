"""Tests of adaland.launch.acting.starts."""

import numpy as np
from absl.testing import absltest

from adaland.curriculum import base
from adaland.envs import land
from adaland.envs.stepping import task_rows
from adaland.envs.tasks.arrays import rule_row
from adaland.envs.tasks.task import Task
from adaland.launch.acting import starts
from tests.launch import fakes

_SOLO = Task.of(
  goal="near(player1, black cube)",
  objects=["black cube"],
  rules=["near(player1, black cube) -> purple wall"],
  hide_rules=[1],
)


def _prepared(task):
  return task_rows.prepare(task, land.LandConfig(num_slots=2, max_rules=1))


class StartsTest(absltest.TestCase):
  def test_an_assigned_number_of_trials_replaces_the_task_s(self):
    task = fakes.make_task(trials=2)
    for trials, expected in ((0, 2), (5, 5)):
      made = starts.with_trials(base.Assignment(7, task, True, trials=trials))
      self.assertEqual(made.task.trials, expected)
      self.assertEqual((made.key, made.trials), (7, trials))
    # Preparing has applied them.
    ready = base.Assignment(7, _prepared(_SOLO), True, trials=5)
    self.assertIs(starts.with_trials(ready), ready)

  def test_true_rules_are_not_hidden_and_padded(self):
    [rule] = _SOLO.rules
    for played in (_SOLO, _prepared(_SOLO)):
      rows = starts.true_rules(played, 3)
      np.testing.assert_array_equal(rows[0], rule_row(rule))
      self.assertEqual(rows.shape[0], 3)
      self.assertFalse(rows[1:].any())

  def test_a_prepared_task_is_the_plain_one(self):
    self.assertEqual(starts.bare(_prepared(_SOLO)), _SOLO)
    self.assertIs(starts.bare(_SOLO), _SOLO)
    pair = fakes.make_task(players=_SOLO.players * 2)
    self.assertEqual(
      [starts.num_players(task) for task in (_SOLO, _prepared(_SOLO), pair)],
      [1, 1, 2],
    )

  def test_no_step_has_a_row_for_each_player(self):
    spec = {"pixels": ((2, 3), np.uint8)}
    for num_players, batch in ((1, (4,)), (2, (4, 2))):
      step = starts.no_step(4, spec, num_players)
      pixels = step.observation["pixels"]
      self.assertEqual((pixels.shape, pixels.dtype), ((*batch, 2, 3), np.uint8))
      self.assertEqual(step.reward.shape, batch)
      self.assertEqual(step.reward.dtype, np.float32)
      for flags in (step.first, step.last, step.trial_last, step.discount):
        self.assertEqual((flags.shape, flags.any()), ((4,), False))


if __name__ == "__main__":
  absltest.main()
