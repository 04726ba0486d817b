"""Tests of adaland.envs.expert.team."""

import dataclasses

import numpy as np
from absl.testing import absltest

from adaland.envs import constants
from adaland.envs.expert import team
from adaland.envs.expert.ways import strategy
from adaland.envs.tasks import symbolic
from adaland.envs.tasks.literals import parse_literal, parse_rule
from adaland.envs.tasks.task import PlayerSpec, Task
from tests.envs import fixtures

_PLAYER, _OTHER = constants.PLAYER_TYPE_IDS
_CONFIG = dataclasses.replace(fixtures.CONFIG, num_players=2)


def _task(rules, goal, seconds=10.0):
  goal = parse_literal(goal)
  task = fixtures.make_task(
    [(fixtures.CUBE, (1.5, 0.0)), (fixtures.SPHERE, (-1.5, 1.0))],
    goal,
    player_at=(0.0, -1.0),
    trials=1,
    trial_seconds=seconds,
  )
  return dataclasses.replace(
    task,
    players=(*task.players, PlayerSpec(goal, (0.0, 1.5))),
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

  def test_swapped_twice_is_as_before(self):
    task = _task([], "near(player1, black cube)")
    world = fixtures.make_land(task, task, config=_CONFIG)
    world.reset()
    view = world.state_view(0)
    other = team.swap(view)
    np.testing.assert_array_equal(other.player_pos, view.player_pos[::-1])
    self.assertEqual(other.visible[0, 1], view.visible[1, 0])
    np.testing.assert_array_equal(other.visible[0, 2:], view.visible[1, 2:])
    for a, b in zip(team.swap(other), view, strict=True):
      np.testing.assert_array_equal(a, b)


if __name__ == "__main__":
  absltest.main()
