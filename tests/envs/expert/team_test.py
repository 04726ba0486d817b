"""Tests of adaland.envs.expert.team."""

import dataclasses

import numpy as np
from absl.testing import absltest

from adaland.envs.expert import team
from adaland.envs.tasks.literals import parse_literal, parse_rule
from adaland.envs.tasks.task import PlayerSpec
from tests.envs import fixtures

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
