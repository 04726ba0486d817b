"""Tests of adaland.launch.evaluation.pairs and of pairs' scores, with fakes."""

from typing import Any

import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs import constants, land
from adaland.launch import errors
from adaland.launch.evaluation import (
  fewshot,
  pairs,
  report,
  scores,
  tasksets,
)
from tests.launch import fakes

_MAKE_LAND = land.maker(land.LandConfig(num_players=2))


class _Echo:
  """A policy that returns what it sees."""

  def __init__(self):
    self.rewards = np.zeros(0)

  def act(self, step):
    self.rewards = step.reward
    return np.repeat(step.observation["seen"][:, None], 6, axis=1)


def _one_step(seen) -> land.Step:
  """Returns a step of one environment, by what each player sees."""
  none = np.zeros(1, bool)
  return land.Step(
    {"seen": np.array([seen])}, np.zeros((1, 2)), none, none, none, np.ones(1)
  )


class PairTest(absltest.TestCase):
  def test_each_side_sees_and_earns_its_own(self):
    first, second = _Echo(), _Echo()
    none = np.zeros(3, bool)
    step = land.Step(
      {"seen": np.array([[1, 2], [3, 4], [5, 6]])},
      np.array([[10, 20], [30, 40], [50, 60]]),
      none,
      none,
      none,
      np.ones(3),
    )
    actions = pairs.Pair(first, second).act(step)
    self.assertEqual(actions.shape, (3, 2, 6))
    np.testing.assert_array_equal(actions[..., 0], step.observation["seen"])
    np.testing.assert_array_equal(second.rewards, [20, 40, 60])

  def test_two_random_players_differ(self):
    make = pairs.side_maker("random", 0)
    none = np.zeros(50, bool)
    step = land.Step({}, np.zeros((50, 2)), none, none, none, np.ones(50))
    made = pairs.maker(make, make)(absltest.mock.Mock())
    actions = made.act(step)
    self.assertTrue((actions[:, 0] != actions[:, 1]).any())
    self.assertTrue((actions < np.array(constants.ACTION_SIZES)).all())

  def test_each_expert_gives_its_own_actions(self):
    with absltest.mock.patch.object(pairs.team, "Team") as make:
      make.return_value.act.return_value = np.arange(12).reshape(1, 2, 6)
      side = pairs.side_maker("expert", 0)
      pair = pairs.maker(side, side)(absltest.mock.Mock(num_envs=1))
      actions = pair.act(_one_step([0, 0]))
    np.testing.assert_array_equal(actions, np.arange(12).reshape(1, 2, 6))

  def test_an_agent_on_both_sides_draws_and_remembers_separately(self):
    asked = []

    def act(params, state, observation, first, key):
      asked.append((state, tuple(key)))
      actions = np.full((1, 6), observation["seen"][0])
      return absltest.mock.Mock(action=actions), state + observation["seen"][0]

    actor: Any = absltest.mock.Mock(init=lambda num_envs: 10, act=act)
    with absltest.mock.patch.object(pairs.builder, "agent") as agent:
      agent.return_value.actor = actor
      side = pairs.agent_side(absltest.mock.Mock(), {}, 5)
    made = pairs.make_pairs(side, ["self"], None, 5, False)
    pair = made["self"](absltest.mock.Mock(num_envs=1))
    step = _one_step([3, 4])
    for _ in range(2):
      np.testing.assert_array_equal(pair.act(step)[0, :, 0], [3, 4])
    states, keys = zip(*asked, strict=True)
    self.assertEqual(states, (10, 10, 13, 14))
    self.assertLen(set(keys), 4)


class PairScoresTest(parameterized.TestCase):
  def evaluate(self, best=((4.0, 8.0), (4.0, 8.0))):
    pair: Any = "self"
    best_of = dict(zip(("2", "3"), best, strict=True))
    tasks = [fakes.make_task("2"), fakes.make_task("3")]

    def play(env, jobs, make_policy, seed, on_progress, recorder=None):
      """Pays experts the best, others the name, and player 2 twice that."""
      del env, seed, on_progress, recorder
      if make_policy is pair:
        return [float(job.name) * np.ones((job.trials, 2)) * [1, 2]
                for job in jobs]  # fmt: skip
      return [np.array([best_of[job.name]]) for job in jobs]

    self.enter_context(
      absltest.mock.patch.object(fewshot.rollout, "play", play)
    )
    return fewshot.evaluate_pairs(
      "agent",
      {"self": pair},
      _MAKE_LAND,
      tasks,
      [1, 2],
      0,
      1,
      lambda line: None,
    )

  def test_each_player_is_scored_by_the_expert_in_its_place(self):
    [result] = self.evaluate()
    self.assertEqual((result["policy"], result["coplayer"]), ("agent", "self"))
    # (2 + 3) / 2 / 4; player 2 gets twice as much of twice as much.
    self.assertEqual(result["score"]["mean"], {"1": 0.625, "2": 0.625})
    second = result["player2"]
    self.assertEqual(second["score"]["mean"], {"1": 0.625, "2": 0.625})
    self.assertEqual(second["reward"]["mean"]["2"], 5.0)
    self.assertEqual(second["tasks"][1]["expert"], 8.0)
    tasks = [fakes.make_task("2"), fakes.make_task("3")]
    self.assertEqual(result["tasks_sha256"], tasksets.fingerprint(tasks))
    text = scores.table([result])
    self.assertIn("| agent with self |", text)
    self.assertIn("| agent with self, player 2 |", text)
    self.assertIn("of the scripted expert in each player's place", text)

  def test_each_player_has_its_own_number_of_tasks_with_a_score(self):
    results = self.evaluate(best=((4.0, 0.0), (4.0, 8.0)))
    self.assertIn(
      "2 of 2 held-out tasks (player 2: 1 of 2), scored by the reward of the "
      "scripted expert in each player's place; it got none on the others.",
      scores.table(results),
    )
    with absltest.mock.patch.object(report.figure, "by_trial") as draw:
      report.curve(results)
    note = draw.call_args.kwargs["note"]
    self.assertStartsWith(note, "2 tasks (player 2: 1 of 2); bands: 1.96")

  def test_the_experts_best_trial_is_the_one_that_pays_both_most(self):
    rewards = iter([[3.0, 3.0], [5.0, 0.0], [1.0, 4.0]])

    def play(env, jobs, make_policy, seed, on_progress, recorder=None):
      return [np.array([next(rewards)]) for _ in jobs]

    with absltest.mock.patch.object(pairs.rollout, "play", play):
      best = pairs.best_rewards([fakes.make_task()], _MAKE_LAND)
    np.testing.assert_array_equal(best, [[3.0, 3.0]])

  def test_each_task_has_its_own_best_trial(self):
    # Three trials of the tasks "1" and "2".
    rewards = {
      "1": iter([[1.0, 0.0], [0.0, 3.0], [0.0, 2.0]]),
      "2": iter([[7.0, 4.0], [5.0, 5.0], [9.0, 0.0]]),
    }

    def play(env, jobs, make_policy, seed, on_progress, recorder=None):
      self.assertEqual([job.trials for job in jobs], 6 * [1])
      return [np.array([next(rewards[job.name])]) for job in jobs]

    tasks = [fakes.make_task(name, trials=3) for name in "12"]
    with absltest.mock.patch.object(pairs.rollout, "play", play):
      best = pairs.best_rewards(tasks, _MAKE_LAND)
    np.testing.assert_array_equal(best, [[0.0, 3.0], [7.0, 4.0]])

  def test_only_tasks_of_two_players_are_for_two(self):
    alone = fakes.make_task("1")
    two = fakes.make_task("2", players=2 * alone.players)
    self.assertEqual(pairs.for_two([alone, two, alone], "x"), [two])
    with self.assertRaisesRegex(
      errors.UserError, "--taskset=x has 2 tasks of one player, allowed: tasks"
    ):
      pairs.for_two([alone, alone], "x")
    with self.assertRaisesRegex(errors.UserError, "=x has 1 task of one"):
      pairs.for_two([alone], "x")

  def test_co_players_by_name(self):
    side = pairs.side_maker("noop", 0)
    made = pairs.make_pairs(side, ["self", "random"], None, 0, False)
    self.assertEqual(list(made), ["self", "random"])
    pair = made["random"](absltest.mock.Mock())
    self.assertIsInstance(pair, pairs.Pair)

  @parameterized.parameters(
    ("self ", "--coplayer.*self.*random, noop, expert, agent:NAME"),
    ("agent:nobody", "--coplayer=agent:nobody: no such directory or agent"),
  )
  def test_an_unknown_co_player_is_refused(self, name, message):
    side = pairs.side_maker("noop", 0)
    with self.assertRaisesRegex(errors.UserError, message):
      pairs.make_pairs(side, [name], None, 0, False)


if __name__ == "__main__":
  absltest.main()
