"""Tests of adaland.curriculum.plr and adaland.curriculum.factory."""

import dataclasses
import json
from unittest import mock

import numpy as np
from absl.testing import absltest, parameterized

from adaland.curriculum import base, factory, ledger, plr
from tests.curriculum import examples


def _make(seed=0, num_tasks=base.POOL_SIZE, **values):
  config = dataclasses.replace(plr.PLRConfig(capacity=10), **values)
  return plr.PLRCurriculum(config, examples.sample_task, seed, num_tasks)


def _error(assignment):
  """Returns an error that depends on the task alone."""
  return float(np.random.default_rng(int(assignment.task.name)).random())


def _play(curriculum, episodes):
  """Plays assignments one after another; returns them."""
  played = []
  for _ in range(episodes):
    (assignment,) = curriculum.next_tasks(1)
    curriculum.report(examples.record(assignment, _error(assignment)))
    played.append(assignment)
  return played


class PLRCurriculumTest(parameterized.TestCase):
  def test_nothing_is_learned_before_the_archive_is_nearly_full(self):
    curriculum = _make(replay_probability=1.0)
    self.assertFalse(any(a.learn for a in _play(curriculum, 9)))
    self.assertEqual(curriculum.metrics()["archive_size"], 9)
    self.assertTrue(curriculum.next_tasks(1)[0].learn)

  def test_a_visit_is_30_trials_of_one_task_in_whole_episodes(self):
    curriculum = _make(replay_probability=1.0, staleness=1.0)
    archived = {a.task.name for a in _play(curriculum, 9)}
    for _ in range(5):
      (first,) = curriculum.next_tasks(1)
      self.assertIn(first.task.name, archived)
      episodes = -(-30 // first.task.trials)
      visit = [first, *curriculum.next_tasks(episodes - 1)]
      self.assertEqual({a.task.name for a in visit}, {first.task.name})
      self.assertLen({a.key for a in visit}, episodes)
      self.assertTrue(all(a.learn for a in visit))

  def test_what_stands_for_a_task_is_not_looked_into(self):
    config = plr.PLRConfig(capacity=10, replay_probability=0.5)
    by_task = plr.PLRCurriculum(config, examples.sample_task, 0)
    by_index = plr.PLRCurriculum(config, lambda index: index, 0)
    learned = 0
    for _ in range(80):
      (a,), (b,) = by_task.next_tasks(1), by_index.next_tasks(1)
      self.assertEqual((b.key, b.learn), (a.key, a.learn))
      self.assertEqual(b.task, int(a.task.name))
      learned += a.learn
      for curriculum in (by_task, by_index):
        curriculum.report(examples.record(a, _error(a)))
    self.assertGreater(learned, 20)
    self.assertEqual(by_index.state_dict(), by_task.state_dict())

  def test_a_fifth_of_the_draws_train(self):
    curriculum = _make()
    _play(curriculum, 9)
    before = curriculum.metrics()["tasks_drawn"]
    news = sum(not a.learn for a in _play(curriculum, 8000))
    draws = curriculum.metrics()["tasks_drawn"] - before
    # Standard deviation sqrt(0.2 * 0.8 / draws), 0.008 for 2400 draws.
    self.assertGreater(draws, 1000)
    self.assertAlmostEqual(1 - news / draws, 0.2, delta=0.04)

  def test_a_small_pool_s_task_has_one_place_in_the_archive(self):
    curriculum = _make(num_tasks=4, replay_probability=1e-9)
    _play(curriculum, 60)
    self.assertCountEqual(
      curriculum.state_dict()["archive"]["indices"], range(4)
    )

  def test_the_archive_holds_the_best_by_z_score(self):
    curriculum = _make(replay_probability=1e-9)
    played = _play(curriculum, 300)
    expected, errors = [], {}
    for a in played:
      past = errors.setdefault(a.task.trials, [])
      deviation = np.std(past) if past else 0.0
      f = _error(a)
      z = (f - np.mean(past)) / deviation if deviation > 0 else 0.0
      past.append(f)
      expected.append((z, int(a.task.name)))
    best = sorted(index for _, index in sorted(expected)[-10:])
    state = curriculum.state_dict()["archive"]
    self.assertEqual(sorted(state["indices"]), best)
    np.testing.assert_allclose(
      sorted(state["fitness"]), [z for z, _ in sorted(expected)[-10:]]
    )

  def test_decisions_say_why_the_archive_takes_a_task(self):
    curriculum = _make(replay_probability=1e-9)
    _play(curriculum, 40)
    decisions = curriculum.take_decisions()
    self.assertLen(decisions, 40)
    # The archive has room for ten.
    self.assertEqual(
      {d.why for d in decisions[:10]}, {"there is room in the archive"}
    )
    for decision in decisions[10:]:
      word = "fitter" if decision.accepted else "less fit"
      self.assertEqual(decision.why, f"{word} than the archive's worst")
    accepted = {d.accepted for d in decisions[10:]}
    self.assertEqual(accepted, {True, False})
    self.assertEmpty(curriculum.take_decisions())

  def test_training_refreshes_the_fitness_by_the_visit_s_mean(self):
    curriculum = _make(replay_probability=1.0, train_trials=12)
    _play(curriculum, 9)
    moments = dict(curriculum.state_dict()["moments"])
    (first,) = curriculum.next_tasks(1)
    visit = [first]
    visit += curriculum.next_tasks(-(-12 // first.task.trials) - 1)
    errors = np.linspace(5.0, 9.0, len(visit))
    for assignment, error in zip(visit, errors, strict=True):
      curriculum.report(examples.record(assignment, error))
    m = moments[first.task.trials]
    deviation = np.sqrt(m["variance"])
    z = (errors.mean() - m["mean"]) / deviation if deviation > 0 else 0.0
    state = curriculum.state_dict()
    row = state["archive"]["indices"].index(int(first.task.name))
    self.assertAlmostEqual(state["archive"]["fitness"][row], z)
    # Training does not change the mean that new tasks are compared with.
    self.assertEqual(dict(state["moments"]), moments)

  def test_records_of_an_earlier_visit_come_too_late(self):
    curriculum = _make(capacity=1, replay_probability=0.5, train_trials=1)
    _play(curriculum, 60)
    late, *_, now = [a for a in curriculum.next_tasks(20) if a.learn]
    self.assertEqual(late.task.name, now.task.name)
    before = curriculum.state_dict()["archive"]
    curriculum.report(examples.record(late, 1e6))
    self.assertEqual(curriculum.state_dict()["archive"], before)
    curriculum.report(examples.record(now, 1e6))
    [fitness] = curriculum.state_dict()["archive"]["fitness"]
    self.assertGreater(fitness, 1e6)

  def test_visits_of_tasks_that_left_the_archive_are_forgotten(self):
    curriculum = _make(capacity=2, replay_probability=0.5, train_trials=1)
    played = _play(curriculum, 200)
    trained = {
      assignment.task.name for assignment in played if assignment.learn
    }
    self.assertGreater(len(trained), 2)
    self.assertLessEqual(len(curriculum.state_dict()["visits"]), 2)

  @parameterized.parameters(("td_error", 1), ("value", 10), ("policy", 100))
  def test_the_fitness_asked_for_is_used(self, fitness, factor):
    curriculum = _make(fitness=fitness)
    (assignment,) = curriculum.next_tasks(1)
    curriculum.report(examples.record(assignment, 2.0))
    ((_, moments),) = curriculum.state_dict()["moments"]
    self.assertEqual(moments["mean"], 2.0 * factor)

  def test_unknown_and_repeated_and_broken_records_are_ignored(self):
    curriculum = _make()
    one, two = curriculum.next_tasks(2)
    curriculum.report(examples.record(one, 1.0))
    state = curriculum.state_dict()
    curriculum.report(examples.record(one, 5.0))
    curriculum.report(examples.record(one._replace(key=99), 5.0))
    self.assertEqual(curriculum.state_dict(), state)
    curriculum.report(examples.record(two, float("nan")))
    self.assertEqual(curriculum.state_dict()["archive"], state["archive"])
    self.assertEqual(curriculum.metrics()["outstanding"], 0)

  def test_a_scripted_player_s_episodes_have_no_fitness(self):
    curriculum = _make()
    [one] = curriculum.next_tasks(1)
    curriculum.report(examples.record(one, 1.0)._replace(guided=True))
    metrics = curriculum.metrics()
    self.assertEqual((metrics["archive_size"], metrics["outstanding"]), (0, 0))

  def test_of_a_small_pool_a_part_must_be_archived(self):
    config = plr.PLRConfig(capacity=1000, min_fraction=0.9)
    curriculum = plr.PLRCurriculum(config, examples.sample_task, 0, 20)
    learned = 0
    for _ in range(400):
      [assignment] = curriculum.next_tasks(1)
      learned += assignment.learn
      if learned == 1:
        self.assertEqual(curriculum.metrics()["archive_size"], 18)
        break
      curriculum.report(examples.record(assignment, 1.0))
    self.assertEqual(learned, 1)

  def test_assignments_of_lost_actors_are_forgotten_oldest_first(self):
    with mock.patch.object(ledger, "_MAX_OUTSTANDING", 5):
      curriculum = _make()
      assignments = curriculum.next_tasks(20)
    self.assertEqual(curriculum.metrics()["outstanding"], 5)
    for assignment in assignments:
      curriculum.report(examples.record(assignment, 1.0))
    self.assertEqual(curriculum.metrics()["archive_size"], 5)

  def test_a_restored_copy_goes_on_the_same(self):
    one = _make(seed=1, replay_probability=0.7)
    _play(one, 60)
    assignments = one.next_tasks(4)
    two = _make(seed=2, replay_probability=0.7)
    two.load_state_dict(json.loads(json.dumps(one.state_dict())))
    self.assertEqual(two.state_dict(), one.state_dict())
    for curriculum in (one, two):
      for assignment in assignments:
        curriculum.report(examples.record(assignment, _error(assignment)))
    self.assertEqual(_play(two, 120), _play(one, 120))
    self.assertEqual(two.metrics(), one.metrics())

  def test_metrics_tell_training_from_evaluation(self):
    curriculum = _make(replay_probability=1.0)
    for _ in range(9):
      (a,) = curriculum.next_tasks(1)
      curriculum.report(examples.record(a, _error(a), reward=1.0))
    for _ in range(9):
      (a,) = curriculum.next_tasks(1)
      curriculum.report(examples.record(a, _error(a), reward=3.0))
    metrics = curriculum.metrics()
    self.assertAlmostEqual(metrics["new_trial_reward_s"], 1.0)
    self.assertAlmostEqual(metrics["trial_reward_s"], 3.0)
    self.assertAlmostEqual(metrics["learn_share"], 0.5, delta=0.05)


class ConfigTest(parameterized.TestCase):
  def test_the_defaults_are_the_paper_s(self):
    config = plr.PLRConfig()
    self.assertEqual(config.min_size(10**9), 900)
    self.assertEqual(config.replay_probability, 0.2)

  @parameterized.parameters(
    ("replay_probability", 0.0),
    ("replay_probability", 1.1),
    ("capacity", 0),
    ("capacity", 1_000_001),
    ("min_fraction", -0.1),
    ("min_fraction", 1.1),
    ("train_trials", 0),
    ("train_trials", 10_001),
    ("staleness", -0.1),
    ("staleness", 1.1),
    ("beta", 0.0),
    ("fitness", "loss"),
  )
  def test_bad_values_are_named(self, field, value):
    with self.assertRaisesRegex(
      ValueError, f"curriculum.plr.{field} is .*, allowed: "
    ):
      dataclasses.replace(plr.PLRConfig(), **{field: value})

  def test_the_ends_of_the_ranges_are_allowed(self):
    config = plr.PLRConfig(
      replay_probability=1.0,
      capacity=1,
      min_fraction=0.0,
      train_trials=1,
      staleness=0.0,
    )
    # Even then the archive must have a task to draw.
    self.assertEqual(config.min_size(10**9), 1)
    plr.PLRConfig(capacity=1_000_000, train_trials=10_000)
    config = plr.PLRConfig(min_fraction=1.0, staleness=1.0)
    self.assertEqual(config.min_size(10**9), 1000)
    self.assertEqual(config.min_size(999), 999)


class FactoryTest(absltest.TestCase):
  def test_makes_what_is_asked_for(self):
    for kind in factory.KINDS:
      config = factory.CurriculumConfig(kind=kind)
      curriculum = factory.make_curriculum(config, examples.sample_task, 0)
      self.assertEqual(curriculum.state_dict()["kind"], kind)

  def test_an_unknown_kind_is_refused(self):
    with self.assertRaisesRegex(ValueError, "'random', allowed: uniform, "):
      factory.CurriculumConfig(kind="random")


if __name__ == "__main__":
  absltest.main()
