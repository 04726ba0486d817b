"""Tests of adaland.envs.expert.researcher, by players in small rooms.

More tasks: `adaland evaluate --policy=explorer --taskset=sampled`.
"""

import numpy as np
from absl.testing import absltest

from adaland.envs import land
from adaland.envs.expert import players
from adaland.envs.tasks.task import Task

CONFIG = land.LandConfig(num_slots=8, max_rules=4, num_threads=1)
GOAL = "hold(player1, black sphere)"
OBJECTS = [
  {"type": "black cube", "at": [[1.5, 1.5]]},
  {"type": "purple cube", "at": [[1.5, -1.5]]},
  {"type": "yellow cube", "at": [[-1.5, 1.5]]},
]
# In each room another pair makes what the goal needs; one pair spoils it.
PAIRS = (("black", "purple"), ("black", "yellow"), ("purple", "yellow"))


def rooms(trials):
  return [
    Task.of(
      GOAL,
      OBJECTS,
      [
        f"near({a} cube, {b} cube) -> black sphere",
        f"near({c} cube, {d} cube) -> nothing",
      ],
      at=(0, 0),
      tiles=(6, 6),
      hide_rules=[1, 2],
      trials=trials,
      trial_seconds=10,
      name=f"{a} {b}",
    )
    for (a, b), (c, d) in zip(PAIRS, PAIRS[1:] + PAIRS[:1], strict=True)
  ]


def play(name, tasks, trials):
  """Returns the rewards of each trial, [N, K], and the player."""
  world = land.Land(len(tasks), CONFIG, lambda env: tasks[env])
  player = players.make(name, len(tasks))
  world.reset()
  rewards = np.zeros((len(tasks), trials))
  steps = tasks[0].trial_steps
  for t in range(trials * steps):
    player.observe(world)
    rewards[:, t // steps] += world.step(player.act(world)).reward
  return rewards


class ResearcherTest(absltest.TestCase):
  def test_it_adapts_by_what_it_remembers(self):
    trials = 4
    tasks = rooms(trials)
    explorer = play("explorer", tasks, trials).mean(axis=0)
    forgetful = play("forgetful", tasks, trials).mean(axis=0)
    # Nothing is known yet.
    self.assertEqual(explorer[0], forgetful[0])
    self.assertGreater(explorer[-1], explorer[0] + 2.0)
    self.assertGreater(explorer[-1], forgetful[1:].mean() + 2.0)

  def test_it_does_at_once_what_it_is_told(self):
    told = [
      Task.of(goal, OBJECTS, rules, at=(0, 0), tiles=(6, 6), trial_seconds=10)
      for goal, rules in (
        (GOAL, ["near(black cube, purple cube) -> black sphere"]),
        ("near(black cube, yellow cube)", []),
        ("touching(player1, yellow cube)", []),
        ("see(player1, purple cube)", []),
      )
    ]
    rewards = play("explorer", told, 1)[:, 0]
    np.testing.assert_array_less(4.0, rewards)

  def test_refuses_two_players(self):
    task = Task.of(
      ["near(player1, player2)"] * 2, [], name="two", trial_seconds=10
    )
    config = land.LandConfig(num_slots=8, num_players=2, num_threads=1)
    world = land.Land(1, config, lambda _: task)
    world.reset()
    with self.assertRaisesRegex(
      ValueError, "'two': the explorer can't play it with 2 players, allowed: 1"
    ):
      players.make("explorer", 1).observe(world)


if __name__ == "__main__":
  absltest.main()
