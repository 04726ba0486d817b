"""Tests of adaland.curriculum.noop."""

import json

import numpy as np
from absl.testing import absltest, parameterized

from adaland.curriculum import noop
from tests.curriculum import examples

_SMALL = noop.NoopConfig(evaluations=3, train_episodes=4, fewest_worse=2)


class VerdictTest(parameterized.TestCase):
  @parameterized.parameters(
    # One of ten trials pays 0.01 more than doing nothing ever did.
    ([0.0] * 9 + [0.01], [0.0] * 10, ""),
    ([0.0] * 9 + [0.009], [0.0] * 10, "no different from doing nothing"),
    # Three trials lose reward that doing nothing would have earned.
    ([0.5] * 5 + [0.2] * 2 + [0.1] * 3, [0.5, 0.3], ""),
    ([0.3] * 8 + [0.1] * 2, [0.3, 0.3], "no different from doing nothing"),
    ([0.4] * 6 + [0.0] * 4, [0.0], "too easy"),
    ([0.4] * 5 + [0.0] * 5, [0.0], ""),
    ([0.3] * 10, [0.0], "pays always the same"),
    ([0.3, 0.0], [1.2, 0.0], "pays for doing nothing"),
  )
  def test_by_hand(self, agent, idle, why):
    self.assertEqual(noop.verdict(agent, idle, noop.NoopConfig()), why)

  @parameterized.parameters(
    # Each number is one that a binary fraction holds exactly, on the border.
    ([0.25, 0.25, 0.0], [0.0, 0.0], ""),
    ([0.25, 0.0, 0.0], [0.0, 0.0], "no different from doing nothing"),
    ([0.0, 0.0, 0.25], [0.25, 0.5], ""),
    ([0.0, 0.25, 0.25], [0.25, 0.5], "no different from doing nothing"),
    ([0.25, 0.25, 0.0], [0.0, 0.5], "no different from doing nothing"),
    ([0.5, 0.25, 0.25], [1.0, 1.0], ""),
    ([0.5, 0.5, 0.25], [1.0, 1.0], "too easy"),
    ([0.25, 0.25, 0.125], [0.0, 0.0], "pays always the same"),
  )
  def test_on_the_borders_by_hand(self, agent, idle, why):
    config = noop.NoopConfig(
      margin=0.25,
      most_idle=1.0,
      easy=0.5,
      most_easy=1,
      fewest_better=2,
      fewest_worse=2,
      spread=0.25,
    )
    self.assertEqual(noop.verdict(agent, idle, config), why)

  @parameterized.parameters(
    ("evaluations", 0),
    ("evaluations", 10_001),
    ("train_episodes", 0),
    ("train_episodes", 10_001),
    ("margin", -0.1),
    ("spread", -0.1),
  )
  def test_bad_values_are_named(self, name, value):
    with self.assertRaisesRegex(
      ValueError, f"curriculum.noop.{name} is .*, allowed: "
    ):
      noop.NoopConfig(**{name: value})


class NoopCurriculumTest(parameterized.TestCase):
  def make(self, seed=0):
    return noop.NoopCurriculum(_SMALL, examples.sample_task, seed)

  def play(self, made, assignment, share):
    seconds = share * assignment.task.trial_seconds
    record = examples.record(assignment, 0.0, seconds)
    # Actors mark the trials of an idle avatar, too.
    made.report(record._replace(guided=assignment.idle))

  def evaluated(self, made, shares):
    """Plays the evaluations of one task; returns its name."""
    assignments = made.next_tasks(6)
    for assignment in assignments:
      self.assertEqual(assignment.trials, 1)
      self.assertFalse(assignment.learn)
      self.assertEqual(assignment.task.name, assignments[0].task.name)
    self.assertEqual([a.idle for a in assignments], [False] * 3 + [True] * 3)
    for assignment, share in zip(assignments, [*shares, 0, 0, 0], strict=True):
      self.play(made, assignment, share)
    return assignments[0].task.name

  def test_an_accepted_task_is_learned_from_and_then_dropped(self):
    made = self.make()
    name = self.evaluated(made, [0.0, 0.2, 0.0])
    episodes = made.next_tasks(4)
    for episode in episodes:
      self.assertEqual((episode.task.name, episode.trials), (name, 0))
      self.assertTrue(episode.learn)
      self.assertFalse(episode.idle)
    [after] = made.next_tasks(1)
    self.assertNotEqual(after.task.name, name)
    self.assertEqual(made.metrics()["tasks_drawn"], 2.0)
    [decision] = made.take_decisions()
    self.assertEqual((str(decision.index), decision.accepted), (name, True))
    self.assertAlmostEqual(decision.score, 0.2 / 3, places=5)
    self.assertEmpty(made.take_decisions())

  def test_a_refused_task_is_dropped_with_a_reason(self):
    made = self.make()
    name = self.evaluated(made, [0.0, 0.0, 0.0])
    [after] = made.next_tasks(1)
    self.assertNotEqual(after.task.name, name)
    self.assertFalse(after.learn)
    [decision] = made.take_decisions()
    self.assertEqual(decision.why, "no different from doing nothing")
    self.assertFalse(decision.accepted)
    self.assertEqual(made.metrics()["accepted_share"], 0.0)

  def test_a_trial_that_the_agent_did_not_play_is_played_again(self):
    made = self.make()
    first, *others = made.next_tasks(6)
    for assignment in others:
      self.play(made, assignment, 0.0)
    record = examples.record(first, 0.0, 5.0)
    made.report(record._replace(guided=True))
    self.assertEmpty(made.take_decisions())
    [again] = made.next_tasks(1)
    self.assertEqual(again.task.name, first.task.name)
    self.assertFalse(again.idle)
    self.play(made, again, 0.1)
    self.assertLen(made.take_decisions(), 1)

  def test_guided_episodes_are_no_rewards_of_the_agent(self):
    made = self.make()
    self.evaluated(made, [0.0, 0.2, 0.0])
    [training] = made.next_tasks(1)
    self.assertTrue(training.learn)
    record = examples.record(training, 0.0, 5.0)
    made.report(record._replace(guided=True))
    self.assertEqual(made.metrics()["trial_reward_s"], 0.0)

  def test_metrics_of_learning_by_hand(self):
    made = self.make()
    self.evaluated(made, [0.0, 0.2, 0.0])
    training = made.next_tasks(4)
    # A recent mean, in which the newest assignment has the weight 0.01.
    self.assertAlmostEqual(
      made.metrics()["learn_share"], (1 - 0.99**4) / (1 - 0.99**10)
    )
    record = examples.record(training[0], 0.0)
    made.report(record._replace(rewards=np.array([1.0, 3.0])))
    self.assertAlmostEqual(made.metrics()["trial_reward_s"], 2.0)

  def test_tasks_under_evaluation_are_not_proposed_again(self):
    for seed in range(5):
      made = noop.NoopCurriculum(
        _SMALL, examples.sample_task, seed, num_tasks=3
      )
      proposed = made.next_tasks(18)[::6]
      self.assertLen({each.task.name for each in proposed}, 3)

  def test_the_oldest_of_too_many_proposed_tasks_are_dropped(self):
    made = self.make()
    with absltest.mock.patch.object(noop, "_MAX_PROPOSED", 2):
      names = [each.task.name for each in made.next_tasks(18)[::6]]
    kept = [str(index) for index, *_ in made.state_dict()["rewards"]]
    self.assertEqual(kept, names[1:])

  def test_a_pool_s_only_task_is_judged_by_its_first_trials(self):
    made = noop.NoopCurriculum(_SMALL, examples.sample_task, 0, num_tasks=1)
    assignments = made.next_tasks(18)  # Proposed three times at once.
    for assignment in assignments[6:9]:
      self.play(made, assignment, 0.0)
    for assignment in assignments[:3]:
      self.play(made, assignment, 0.9)
    for assignment in assignments[9:12]:
      self.play(made, assignment, 0.0)
    [decision] = made.take_decisions()
    self.assertEqual(decision.score, 0.0)
    # The others report on a task that has been decided.
    for assignment in [*assignments[3:6], *assignments[12:]]:
      self.play(made, assignment, 0.9)
    self.assertEmpty(made.take_decisions())

  def test_it_goes_on_from_any_state(self):
    one, two = self.make(), self.make(seed=1)
    rng = np.random.default_rng(0)
    for _ in range(30):
      for assignment in one.next_tasks(3):
        # Some are lost.
        if rng.random() < 0.9:
          share = 0.0 if assignment.idle else rng.choice([0.0, 0.2])
          self.play(one, assignment, share)
    self.assertBetween(one.metrics()["learn_share"], 0.05, 0.95)
    two.load_state_dict(json.loads(json.dumps(one.state_dict())))
    for made in (one, two):
      made.take_decisions()
    for _ in range(20):
      expected, got = one.next_tasks(2), two.next_tasks(2)
      self.assertEqual(expected, got)
      share = rng.choice([0.0, 0.2])
      for made, tasks in ((one, expected), (two, got)):
        for assignment in tasks:
          self.play(made, assignment, share)
      self.assertEqual(one.take_decisions(), two.take_decisions())
    self.assertEqual(one.metrics(), two.metrics())


if __name__ == "__main__":
  absltest.main()
