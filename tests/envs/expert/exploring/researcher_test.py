"""Tests of adaland.envs.expert.exploring.researcher, played in small rooms.

More tasks: `adaland evaluate --policy=explorer --preset=ada_6m`.
"""

import numpy as np
from absl.testing import absltest

from adaland.envs import land
from adaland.envs.expert import players
from adaland.envs.tasks.task import Task
from tests.envs import fixtures
from tests.envs.expert import fakes

GOAL = "hold(player1, black sphere)"
OBJECTS = [
  {"type": "black cube", "at": [[1.5, 1.5]]},
  {"type": "purple cube", "at": [[1.5, -1.5]]},
  {"type": "yellow cube", "at": [[-1.5, 1.5]]},
]
PAIRS = (("black", "purple"), ("black", "yellow"), ("purple", "yellow"))


TRIALS = 3
ROOM = {"at": (0, 0), "tiles": (6, 6), "trials": TRIALS, "trial_seconds": 10}
TOLD = (
  (GOAL, ["near(black cube, purple cube) -> black sphere"]),
  ("near(black cube, yellow cube)", []),
  ("touching(player1, yellow cube)", []),
  ("see(player1, purple cube)", []),
)


def rooms():
  """Returns rooms in which one of three pairs makes what is needed."""
  return [
    Task.of(
      GOAL,
      OBJECTS,
      [
        f"near({a} cube, {b} cube) -> black sphere",
        f"near({c} cube, {d} cube) -> nothing",
      ],
      hide_rules=[1, 2],
      **ROOM,
    )
    for (a, b), (c, d) in zip(PAIRS, PAIRS[1:] + PAIRS[:1], strict=True)
  ]


class ResearcherTest(absltest.TestCase):
  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    told = [Task.of(goal, OBJECTS, rules, **ROOM) for goal, rules in TOLD]
    tasks = [*rooms(), *rooms(), *told]
    seeds = [*range(3), *range(3), *range(6, 10)]
    world = land.Land(
      fixtures.NUM_PLAYED, fixtures.CONFIG, lambda env: tasks[env], seeds
    )
    explorer, forgetful = (
      players.make(name, len(tasks)) for name in ("explorer", "forgetful")
    )
    forgets = np.arange(len(tasks)) // 3 == 1
    rewards = np.zeros((len(tasks), TRIALS))
    world.reset()
    actions = np.zeros((len(tasks), 6), np.int32)
    for t in range(TRIALS * tasks[0].trial_steps):
      for player, rows in ((explorer, ~forgets), (forgetful, forgets)):
        player.observe(world)
        actions[rows] = player.act(world, np.flatnonzero(rows))
      step = world.step(actions)
      rewards[:, t // tasks[0].trial_steps] += step.reward
    cls.explorer, cls.forgetful, cls.told = np.split(rewards, [3, 6])

  def test_it_adapts_by_what_it_remembers(self):
    explorer = self.explorer.mean(axis=0)
    forgetful = self.forgetful.mean(axis=0)
    # Nothing is known yet.
    self.assertEqual(explorer[0], forgetful[0])
    self.assertGreater(explorer[-1], explorer[0] + 2.0)
    self.assertGreater(explorer[-1], forgetful[1:].mean() + 2.0)

  def test_it_does_at_once_what_it_is_told(self):
    np.testing.assert_array_less(4.0, self.told[:, 0])

  def test_refuses_two_players(self):
    task = Task.of(
      ["near(player1, player2)"] * 2, [], name="two", trial_seconds=10
    )
    world = fakes.make_world([task], fakes.make_batch({}))
    with self.assertRaisesRegex(
      ValueError, "'two': the explorer can't play it with 2 players, allowed: 1"
    ):
      players.make("explorer", 1).observe(world)


if __name__ == "__main__":
  absltest.main()
