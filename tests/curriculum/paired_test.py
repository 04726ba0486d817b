"""Tests of adaland.curriculum.paired."""

import json

from absl.testing import absltest, parameterized

from adaland.curriculum import base, coplayers, factory, paired, plr
from tests.curriculum import examples

_CONFIG = coplayers.CoplayersConfig(self_share=0.25)


def _make(kind="uniform", seed=0, num_tasks=base.POOL_SIZE, **values):
  settings = factory.CurriculumConfig(kind=kind, plr=plr.PLRConfig(**values))
  return paired.PairedCurriculum(
    lambda sample, draw: factory.make_curriculum(
      settings, sample, seed, num_tasks, draw
    ),
    examples.sample_task,
    _CONFIG,
    seed,
  )


class _InOrder:
  """A user's curriculum, which chooses tasks but no pairs."""

  def __init__(self, sample_task, first):
    self._sample_task = sample_task
    self._first = first

  def next_tasks(self, n):
    return [
      base.Assignment(i, self._sample_task(self._first + i), True)
      for i in range(n)
    ]

  def report(self, record): ...

  def state_dict(self):
    return {}

  def load_state_dict(self, state): ...

  def metrics(self):
    return {}


def _of_a_user(seed, first=0):
  return paired.PairedCurriculum(
    lambda sample, draw: _InOrder(sample, first),
    examples.sample_task,
    _CONFIG,
    seed,
    chooses_pairs=False,
  )


class PairedCurriculumTest(parameterized.TestCase):
  @parameterized.parameters(*factory.KINDS)
  def test_every_kind_assigns_tasks_with_co_players(self, kind):
    made = _make(kind)
    made.set_snapshots([coplayers.FIRST_SNAPSHOT])
    assignments = made.next_tasks(400)
    for each in assignments:
      self.assertLess(int(each.task.name), base.POOL_SIZE)
    self.assertEqual({each.coplayer for each in assignments}, {0, 1, 2, 3})
    self.assertEqual(made.metrics()["coplayer_snapshots"], 1.0)

  @parameterized.parameters(*factory.KINDS)
  def test_a_restored_one_chooses_alike(self, kind):
    made, restored = _make(kind), _make(kind, seed=1)
    made.set_snapshots([3, 4])
    for assignment in made.next_tasks(50)[:40]:
      made.report(examples.record(assignment, 0.5))
    restored.load_state_dict(json.loads(json.dumps(made.state_dict())))
    self.assertEqual(made.next_tasks(50), restored.next_tasks(50))

  def test_plr_keeps_a_fitness_for_each_task_and_co_player(self):
    """One task, whose errors are large only with the random co-player."""
    made = _make(
      "plr", num_tasks=1, capacity=3, min_fraction=1.0, replay_probability=0.5
    )
    trained = []
    for _ in range(400):
      [assignment] = made.next_tasks(1)
      if assignment.learn:
        trained.append(assignment.coplayer)
      is_random = assignment.coplayer == coplayers.RANDOM
      made.report(examples.record(assignment, 9.0 if is_random else 1.0))
    self.assertGreater(trained.count(coplayers.RANDOM), 0.6 * len(trained))
    index, coplayer = coplayers.split(made.take_decisions()[0].index)
    self.assertEqual(index, 0)
    self.assertLess(coplayer, coplayers.FIRST_SNAPSHOT)

  def test_a_snapshot_that_is_gone_has_a_stand_in(self):
    made = _make("plr", num_tasks=1, capacity=8, min_fraction=0.1)
    made.set_snapshots([5])
    for assignment in made.next_tasks(60):
      made.report(examples.record(assignment, float(assignment.coplayer == 5)))
    made.set_snapshots([7, 9])
    found = {each.coplayer for each in made.next_tasks(100) if each.learn}
    self.assertIn(7, found)
    self.assertNotIn(5, found)

  def test_the_order_in_which_snapshots_are_given_changes_no_draw(self):
    one, other = _make(), _make()
    one.set_snapshots([3, 4])
    other.set_snapshots([4, 3])
    self.assertEqual(one.next_tasks(50), other.next_tasks(50))

  def test_a_user_s_curriculum_gets_co_players_too(self):
    made, restored = _of_a_user(0), _of_a_user(1)
    assignments = made.next_tasks(100)
    self.assertEqual(
      [each.task.name for each in assignments], [str(i) for i in range(100)]
    )
    self.assertEqual({each.coplayer for each in assignments}, {0, 1, 2})
    self.assertEqual(made.take_decisions(), [])
    restored.load_state_dict(json.loads(json.dumps(made.state_dict())))
    self.assertEqual(made.next_tasks(9), restored.next_tasks(9))

  def test_a_user_s_indices_may_exceed_those_of_a_pair(self):
    assignments = _of_a_user(0, first=coplayers.MAX_TASKS).next_tasks(100)
    self.assertEqual(
      [each.task.name for each in assignments], [str(i) for i in range(100)]
    )
    self.assertEqual({each.coplayer for each in assignments}, {0, 1, 2})


if __name__ == "__main__":
  absltest.main()
