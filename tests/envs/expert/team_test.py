"""Tests of adaland.envs.expert.team."""

import dataclasses

import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs import constants
from adaland.envs.expert import team
from adaland.envs.expert.ways import strategy
from adaland.envs.tasks import symbolic
from adaland.envs.tasks.literals import parse_literal, parse_rule
from adaland.envs.tasks.task import PlayerSpec, Task
from tests.envs import fixtures
from tests.envs.expert import fakes

_PLAYER, _OTHER = constants.PLAYER_TYPE_IDS
_CONFIG = dataclasses.replace(fixtures.CONFIG, num_players=2)

_PYRAMID = (fixtures.PYRAMID, (0.0, 0.0))


def _task(rules, goal, more=()):
  task = fixtures.make_task(
    [(fixtures.CUBE, (1.5, 0.0)), (fixtures.SPHERE, (-1.5, 1.0)), *more],
    parse_literal("near(player1, black cube)"),
    trials=1,
    trial_seconds=10.0,
  )
  shared = parse_literal(goal)
  return dataclasses.replace(
    task,
    players=tuple(PlayerSpec(shared, (0.0, y)) for y in (-1.0, 1.5)),
    rules=tuple(map(parse_rule, rules)),
    hiding=(),
  )


class TeamTest(absltest.TestCase):
  def test_each_does_what_names_it(self):
    named = _task(
      ["hold(player2, yellow sphere) -> purple pyramid"],
      "near(player1, purple pyramid)",
    )
    alone = fixtures.make_task(
      [(fixtures.CUBE, (1.5, 0.0))],
      parse_literal("hold(player1, black cube)"),
      trials=1,
      trial_seconds=10.0,
    )
    world = fixtures.make_land(named, alone, config=_CONFIG)
    players = team.Team(2)
    world.reset()
    total, held = np.zeros(2), set()
    for _ in range(74):
      players.observe(world)
      step = world.step(players.act(world))
      total += step.reward[:, 0]
      view = world.state_view(0)
      held.update(p for p in range(2) if view.held[p] >= 0)
    self.assertGreater(total.min(), 3)
    self.assertLessEqual(held, {1})

  def test_one_prepares_what_the_other_does_not_do(self):
    goal = "near(player1, black wall)"
    task = Task.of(
      goal=[goal, goal],
      objects=[
        {"type": "black cube", "at": [[2.5, -1.5]]},
        {"type": "purple pyramid", "at": [[2.5, 1.5]]},
        {"type": "yellow sphere", "at": [[-2.5, 0.5]]},
      ],
      rules=[
        "near(black cube, purple pyramid) -> purple sphere",
        "near(purple sphere, yellow sphere) -> black wall",
      ],
      at=[(1.0, 0.0), (-1.0, 0.0)],
      tiles=(8, 8),
      trials=1,
      trial_seconds=10.0,
    )
    world = fixtures.make_land(task, task, config=_CONFIG)
    players = team.Team(2)
    world.reset()
    while not (view := world.state_view(0)).fired.any():
      before = view.held.copy()
      players.observe(world)
      self.assertFalse(world.step(players.act(world)).last.any())
    # Player 1 did the first step; player 2 has fetched the second one's object.
    self.assertNotEqual(before[0], before[1])
    self.assertEqual(before[1], 2)


class ActTest(parameterized.TestCase):
  """Tests in a fake environment, in which nothing moves."""

  def setUp(self):
    super().setUp()
    self.players = team.Team(1)

  def act(self, task, objects, first, second, step=1, reward=0.0, **state):
    view = fakes.make_pair(objects, first, second)._replace(
      step=step, pitch=np.full(2, constants.START_PITCH), **state
    )
    world = fakes.make_world([task], fakes.batch_of(view, reward))
    self.players.observe(world)
    actions = self.players.act(world)
    self.assertEqual((actions.shape, actions.dtype), ((1, 2, 6), np.int32))
    return [tuple(action) for action in actions[0].tolist()]

  def test_both_keep_still_only_while_their_goal_pays(self):
    task = _task([], "near(player1, black cube)")
    rule = _task(
      ["near(player1, black cube) -> purple wall"],
      "near(player1, purple wall)",
    )
    for played, step, reward, still in (
      (task, 1, 0.1, True),
      (task, 1, 0.0, False),
      (task, 0, 0.1, False),  # The reward is of the trial before.
      (rule, 1, 0.1, False),
    ):
      # The second is in the first one's way.
      actions = self.act(
        played, {0: (4, (3.0, 0.0, 0.2))}, (0, 0), (0.7, 0), step, reward
      )
      for action in actions:
        self.assertEqual(action == constants.NOOP_ACTION, still)

  def test_one_goes_to_the_other_which_waits(self):
    task = _task([], "near(player1, player2)")
    first, second = self.act(task, {}, (0, 0), (1.4, 0))
    self.assertEqual(first, constants.NOOP_ACTION)
    self.assertNotEqual(second[:2], (1, 1))

  def test_nobody_acts_without_a_plan(self):
    actions = self.act(
      _task([], "near(player1, purple wall)"), {}, (0, 0), (3, 0)
    )
    self.assertEqual(actions, [constants.NOOP_ACTION] * 2)

  @parameterized.parameters(0, 1)
  def test_failures_of_each_count_until_the_trial_ends(self, player):
    task = _task(
      [
        f"hold(player{player + 1}, {name}) -> purple wall"
        for name in ("black cube", "yellow sphere")
      ],
      f"near(player{player + 1}, purple wall)",
    )
    at = {0: (4, (1.7, 0.0, 0.2)), 1: (9, (0.0, 3.5, 0.2))}
    feet = [(0, 0), (-3, -3)][:: 1 - 2 * player]
    turns = [self.act(task, at, *feet)[player][2] for _ in range(75)]
    self.assertNotIn(4, turns[:70])
    self.assertEqual(turns[-1], 4)  # To the left.
    again = self.act(task, at, *feet, step=0)
    self.assertNotEqual(again[player][2], 4)

  @parameterized.parameters(("player1", 1), ("player2", 0))
  def test_each_avoids_what_names_it(self, name, grip):
    objects = ("black cube", "yellow sphere")
    task = _task(
      [f"hold({name}, {each}) -> nothing" for each in objects],
      "near(black cube, yellow sphere)",
    )
    at = {0: (4, (1.6, 0.0, 0.2)), 1: (9, (1.6, 3.0, 0.2))}
    _, second = self.act(task, at, (-3, -3), (0, 0))
    self.assertEqual(second[4], grip)

  def test_each_goes_where_its_way_is_short(self):
    # A high wall is between each player and the nearer cube.
    task = _task(
      [
        "hold(player2, black cube) -> purple wall",
        "hold(player1, yellow sphere) -> black wall",
        "near(purple wall, black wall) -> black sphere",
      ],
      "near(player1, black sphere)",
    )
    at = {
      0: (4, (2.5, -2.0, 0.2)),
      1: (4, (-3.0, -2.0, 0.2)),
      2: (9, (2.5, 0.0, 0.2)),
      3: (9, (-3.0, 0.0, 0.2)),
    }
    heights = np.zeros((8, 8), int)
    heights[5, :7] = 4
    actions = self.act(
      task, at, (0, 0), (0, -2), yaw=np.full(2, np.pi), heights=heights
    )
    self.assertEqual([action[0] for action in actions], [2, 2])

  def test_contact_that_fires_a_rule_need_not_last(self):
    now = ["touching(black cube, purple pyramid) -> black sphere"]
    later = [
      "hold(player2, yellow sphere) -> purple wall",
      "touching(black cube, purple pyramid) -> black wall",
      "near(purple wall, black wall) -> black sphere",
    ]
    at = {
      0: (4, (0.9, 0.0, 0.5)),
      1: (11, (1.3, 0.0, 0.2)),
      2: (9, (-3.0, -3.0, 0.2)),
    }
    for rules in (now, later):
      task = _task(rules, "near(player1, black sphere)", [_PYRAMID])
      hands = {"held": [0, -1], "hand_distance": [0.9, 0.0]}
      state = {name: np.array(value) for name, value in hands.items()}
      first, _ = self.act(task, at, (0, 0), (-3, -2), **state)
      self.assertEqual(first[:2], (2, 1))  # Bumps it, and puts nothing down.

  def test_nothing_is_held_in_advance_that_must_not_be(self):
    holds = "hold(player1, yellow sphere)"
    for rules in (
      # The second rule's wall would vanish in sight of the cube.
      [f"{holds} -> black wall", "see(black wall, black cube) -> nothing"],
      [
        "near(yellow sphere, purple pyramid) -> black wall",
        f"{holds} -> nothing",
        "hold(player1, purple pyramid) -> nothing",
      ],
    ):
      task = _task(
        [
          "hold(player2, black cube) -> purple wall",
          *rules,
          "near(purple wall, black wall) -> black sphere",
        ],
        "near(player1, black sphere)",
        [_PYRAMID],
      )
      at = {
        0: (4, (-3.0, -3.0, 0.2)),
        1: (9, (1.6, 0.0, 0.2)),
        2: (11, (1.6, 3.0, 0.2)),
      }
      first, _ = self.act(task, at, (0, 0), (-3, -2))
      self.assertEqual(first[4], 0)


class SwapTest(absltest.TestCase):
  def test_a_step_is_swapped_in_all_its_parts(self):
    one, other = (
      symbolic.Condition("near", player, 5) for player in (_PLAYER, _OTHER)
    )
    step = strategy.NextStep(
      one,
      (other, symbolic.Condition("hold", _OTHER, 4)),
      is_goal=False,
      slots=(1,),
      meanwhile=strategy.Preparation(other, (2,), np.zeros(3)),
    )
    swapped = team.swap_step(step)
    self.assertEqual(swapped.wanted, other)
    self.assertEqual(
      swapped.avoid, (one, symbolic.Condition("hold", _PLAYER, 4))
    )
    assert swapped.meanwhile is not None
    self.assertEqual(swapped.meanwhile.wanted, one)
    again = team.swap_step(swapped)
    self.assertEqual((again.wanted, again.avoid), (step.wanted, step.avoid))

  def test_a_step_of_both_players_is_swapped(self):
    meet = symbolic.Condition("near", _PLAYER, _OTHER)
    wait = strategy.Preparation(None, (-1,), np.ones(3))
    step = strategy.NextStep(meet, (), True, (), 1, wait)
    swapped = team.swap_step(step)
    self.assertEqual(
      swapped.wanted, symbolic.Condition("near", _OTHER, _PLAYER)
    )
    self.assertEqual(swapped[1:5], ((), True, (), 1))
    self.assertIs(swapped.meanwhile, wait)

  def test_a_view_is_swapped_in_all_its_parts(self):
    view = fakes.make_pair({0: (4, (1, 0, 0.2))}, (0, 0), (2, 1))._replace(
      held=np.array([-1, 3]),
      hand_distance=np.array([0.0, 0.9]),
      yaw=np.array([0.1, 0.2]),
      pitch=np.array([0.3, 0.4]),
      trial_rewards=np.array([[1.0, 2.0], [3.0, 4.0]]),
    )
    view.visible[:, :3] = [[False, True, False], [False, False, True]]
    other = team.swap(view)
    for name in ("held", "hand_distance", "player_pos", "yaw", "pitch"):
      np.testing.assert_array_equal(
        getattr(other, name), getattr(view, name)[::-1], name
      )
    np.testing.assert_array_equal(other.trial_rewards, [[2, 1], [4, 3]])
    # The first of them, which was the second, sees the cube alone.
    np.testing.assert_array_equal(
      other.visible[:, :3], [[False, False, True], [True, False, False]]
    )
    for a, b in zip(team.swap(other), view, strict=True):
      np.testing.assert_array_equal(a, b)


if __name__ == "__main__":
  absltest.main()
