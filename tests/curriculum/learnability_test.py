"""Tests of adaland.curriculum.learnability."""

import dataclasses
import json

import numpy as np
from absl.testing import absltest, parameterized

from adaland.curriculum import learnability
from tests.curriculum import examples

_SMALL = learnability.LearnabilityConfig(
  candidates=5, rollouts=4, kept=2, replay_probability=0.5, train_episodes=40
)
_SOLVED = (0, 1, 2, 4, 3)  # Out of four episodes of each candidate.


class ConfigTest(parameterized.TestCase):
  @parameterized.parameters(
    ("candidates", 0),
    ("candidates", 10_001),
    ("rollouts", 1),
    ("rollouts", 1_001),
    ("kept", 0),
    ("kept", 65),
    ("train_episodes", 0),
    ("replay_probability", -0.1),
    ("replay_probability", 1.1),
    ("solved", -0.1),
    ("solved", 1.0),
  )
  def test_bad_values_are_named(self, name, value):
    with self.assertRaisesRegex(
      ValueError, f"curriculum.learnability.{name} is {value}, allowed: "
    ):
      learnability.LearnabilityConfig(**{name: value})

  def test_the_ends_of_the_ranges_are_allowed(self):
    for replay_probability in (0.0, 1.0):
      config = learnability.LearnabilityConfig(
        candidates=1,
        rollouts=2,
        kept=1,
        replay_probability=replay_probability,
        train_episodes=1,
        solved=0.0,
      )
      self.assertEqual(config.replay_probability, replay_probability)
    learnability.LearnabilityConfig(candidates=10_000, rollouts=1_000)


class LearnabilityCurriculumTest(parameterized.TestCase):
  def make(self, seed=0):
    return learnability.LearnabilityCurriculum(
      _SMALL, examples.sample_task, seed
    )

  def play(self, made, assignment, solved):
    seconds = 0.2 * assignment.task.trial_seconds * solved
    made.report(examples.record(assignment, 0.0, seconds))

  def score(self, made):
    """Plays a batch; returns the names of the candidates."""
    assignments = made.next_tasks(20)
    names = [assignment.task.name for assignment in assignments[:5]]
    self.assertLen(set(names), 5)
    for number, assignment in enumerate(assignments):
      self.assertFalse(assignment.learn)
      self.assertEqual(assignment.task.name, names[number % 5])
      self.play(made, assignment, number // 5 < _SOLVED[number % 5])
    return names

  def test_the_most_learnable_are_kept(self):
    made = self.make()
    names = self.score(made)
    found = [
      (d.accepted, d.why, round(d.score, 4)) for d in made.take_decisions()
    ]
    self.assertEqual(
      found,
      [
        (False, "never solved", 0.0),
        # As learnable as the last candidate, which came later.
        (True, "among the most learnable", 0.1875),
        (True, "among the most learnable", 0.25),
        (False, "always solved", 0.0),
        (False, "others are more learnable", 0.1875),
      ],
    )
    self.assertAlmostEqual(
      made.metrics()["kept_learnability"], (0.25 + 0.1875) / 2
    )
    # A batch follows after 40 training episodes.
    played = made.next_tasks(40)
    self.assertTrue(all(assignment.learn for assignment in played))
    drawn = [assignment.task.name for assignment in played]
    kept = [name for name in drawn if name in names]
    self.assertEqual(set(kept), {names[1], names[2]})
    # 20 expected; the deviation is 3.2.
    self.assertBetween(len(kept), 10, 30)
    # Two batches, and the new tasks between them.
    self.assertEqual(made.metrics()["tasks_drawn"], 5 + (40 - len(kept)) + 5)
    self.assertFalse(made.next_tasks(1)[0].learn)

  def test_a_batch_without_learnable_tasks_leaves_none(self):
    made = self.make()
    self.score(made)
    made.next_tasks(40)
    for assignment in made.next_tasks(20):
      self.play(made, assignment, False)
    metrics = made.metrics()
    self.assertEqual(metrics["kept_tasks"], 0.0)
    self.assertEqual(metrics["kept_learnability"], 0.0)
    # As many training episodes as before follow.
    after = [assignment.learn for assignment in made.next_tasks(41)]
    self.assertEqual(after, [True] * 40 + [False])

  def test_the_last_trial_decides(self):
    one = dataclasses.replace(_SMALL, candidates=1, kept=1, rollouts=2)
    for shares, why in (
      ([1.0, 0.0], "never solved"),
      ([0.0, 1.0], "always solved"),
    ):
      made = learnability.LearnabilityCurriculum(one, examples.sample_task, 0)
      for assignment in made.next_tasks(2):
        record = examples.record(assignment, 0.0)
        rewards = np.array(shares) * assignment.task.trial_seconds
        made.report(record._replace(rewards=rewards))
      [decision] = made.take_decisions()
      self.assertEqual(decision.why, why)

  def test_an_episode_is_solved_above_a_fraction_of_its_longest_reward(self):
    config = dataclasses.replace(
      _SMALL, candidates=1, kept=1, rollouts=2, solved=0.25
    )
    for share, why in ((0.25, "never solved"), (0.26, "always solved")):
      made = learnability.LearnabilityCurriculum(
        config, examples.sample_task, 0
      )
      for assignment in made.next_tasks(2):
        seconds = share * assignment.task.trial_seconds
        made.report(examples.record(assignment, 0.0, seconds))
      [decision] = made.take_decisions()
      self.assertEqual(decision.why, why)

  def test_an_episode_that_the_agent_did_not_play_alone_is_played_again(self):
    made = self.make()
    first, *others = made.next_tasks(20)
    for assignment in others:
      self.play(made, assignment, False)
    record = examples.record(first, 0.0, 5.0)
    made.report(record._replace(guided=True))
    self.assertEmpty(made.take_decisions())
    self.assertEqual(made.metrics()["trial_reward_s"], 0.0)
    [again] = made.next_tasks(1)
    self.assertEqual((again.task.name, again.learn), (first.task.name, False))

  def test_guided_episodes_are_no_rewards_of_the_agent(self):
    made = self.make()
    training = made.next_tasks(21)[-1]
    self.assertTrue(training.learn)
    record = examples.record(training, 0.0, 5.0)
    made.report(record._replace(guided=True))
    self.assertEqual(made.metrics()["trial_reward_s"], 0.0)

  def test_records_of_an_earlier_batch_decide_nothing(self):
    config = dataclasses.replace(_SMALL, candidates=1, kept=1, train_episodes=1)
    made = learnability.LearnabilityCurriculum(
      config, examples.sample_task, 0, num_tasks=1
    )
    # Four to score, one to learn from, and the same task in the next batch.
    early, *_ = made.next_tasks(6)
    self.assertEqual(made.state_dict()["batch"], 2)
    before = made.state_dict()["solved"]
    self.play(made, early, True)
    self.assertEqual(made.state_dict()["solved"], before)

  def test_until_a_batch_is_scored_the_last_one_s_tasks_are_used(self):
    made = self.make()
    assignments = made.next_tasks(30)
    self.assertEqual([a.learn for a in assignments], [False] * 20 + [True] * 10)
    # A recent mean, in which the newest assignment has the weight 0.01.
    self.assertAlmostEqual(
      made.metrics()["learn_share"], (1 - 0.99**10) / (1 - 0.99**30)
    )
    # Records of a training episode decide nothing.
    record = examples.record(assignments[25], 0.0)
    made.report(record._replace(rewards=np.array([1.0, 3.0])))
    self.assertEmpty(made.take_decisions())
    self.assertAlmostEqual(made.metrics()["trial_reward_s"], 2.0)

  def test_a_batch_s_tasks_are_kept_while_the_next_is_scored(self):
    config = dataclasses.replace(_SMALL, replay_probability=1.0)
    made = learnability.LearnabilityCurriculum(config, examples.sample_task, 0)
    names = self.score(made)
    made.next_tasks(40)
    assignments = made.next_tasks(40)
    self.assertEqual(
      [each.learn for each in assignments], [False] * 20 + [True] * 20
    )
    self.assertEqual(
      {each.task.name for each in assignments[20:]}, set(names[1:3])
    )

  def test_a_batch_that_lacks_records_is_decided_on_before_the_next(self):
    made = self.make()
    assignments = made.next_tasks(20)
    for number in (0, 5, 1):
      self.play(made, assignments[number], number == 5)
    made.next_tasks(40)
    whys = [decision.why for decision in made.take_decisions()]
    self.assertEqual(whys, ["among the most learnable"] + ["not played"] * 4)

  def test_it_goes_on_from_any_state(self):
    one, two = self.make(), self.make(seed=1)
    rng = np.random.default_rng(0)

    def play(pairs):
      for made, assignments, solved in pairs:
        for assignment, each in zip(assignments, solved, strict=True):
          self.play(made, assignment, each)

    for _ in range(22):
      play([(one, one.next_tasks(3), rng.random(3) < 0.5)])
    # In the second batch, of which some assignments have no record yet.
    under_way = one.next_tasks(3)
    self.assertFalse(any(assignment.learn for assignment in under_way))
    two.load_state_dict(json.loads(json.dumps(one.state_dict())))
    one.take_decisions()
    solved = rng.random(3) < 0.5
    play([(one, under_way, solved), (two, under_way, solved)])
    for _ in range(30):
      expected, got = one.next_tasks(3), two.next_tasks(3)
      self.assertEqual(expected, got)
      solved = rng.random(3) < 0.5
      play([(one, expected, solved), (two, got, solved)])
      self.assertEqual(one.take_decisions(), two.take_decisions())
    self.assertEqual(one.metrics(), two.metrics())


if __name__ == "__main__":
  absltest.main()
