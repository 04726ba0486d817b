"""Tests of adaland.envs.expert.exploring.explorer on the tasks of families.

More tasks: `adaland tasks worth traps`.
"""

import itertools

import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs import constants, land
from adaland.envs.expert import players
from adaland.envs.expert.exploring import explorer
from adaland.envs.sampling import families
from adaland.envs.tasks.task import Task
from tests.envs import fixtures

_ENVS = fixtures.NUM_PLAYED


def make_world(family, num_envs=_ENVS):
  tasks = families.make(family).held_out()
  indices = itertools.count()
  return land.Land(
    num_envs, fixtures.CONFIG, lambda _: tasks.task(next(indices))
  )


class ExplorerTest(parameterized.TestCase):
  @parameterized.parameters("traps", "find", "fetch", "chain")
  def test_it_adapts_by_what_it_remembers(self, family):
    tasks = families.make(f"{family}:trials=3").held_out()
    # Another half of the environments is the same, and its player forgets.
    forgets = np.arange(_ENVS) >= _ENVS // 2
    seeds = [*range(_ENVS // 2)] * 2
    world = land.Land(
      _ENVS, fixtures.CONFIG, lambda i: tasks.task(seeds[i]), seeds
    )
    both = players.make("explorer", _ENVS), players.make("forgetful", _ENVS)
    world.reset()
    rewards = np.zeros((_ENVS, 3))  # Of each trial.
    actions = np.zeros((_ENVS, 6), np.int32)
    steps = world.tasks[0].trial_steps
    for t in range(3 * steps):
      for player, rows in zip(both, (~forgets, forgets), strict=True):
        player.observe(world)
        actions[rows] = player.act(world, np.flatnonzero(rows))
      rewards[:, t // steps] += world.step(actions).reward
    first, _, last = rewards[~forgets].mean(axis=0)
    forgot = rewards[forgets].mean(axis=0)
    # The first trials are the same, because nothing is known yet.
    self.assertEqual(forgot[0], first)
    self.assertGreater(last, first + 0.5)
    self.assertGreater(last, forgot[2] + 0.5)

  def test_its_labels_are_its_actions(self):
    world = make_world("traps:trials=2+fetch:trials=1,trial_seconds=8")
    player, watcher = explorer.Explorer(_ENVS), explorer.Explorer(_ENVS)
    some = np.array([3, 0, 9])
    world.reset()
    for _ in range(60):
      player.observe(world)
      watcher.observe(world)
      actions = player.act(world)
      np.testing.assert_array_equal(watcher.act(world, some), actions[some])
      world.step(actions)

  def test_it_may_be_made_in_the_middle_of_an_episode(self):
    world = make_world("traps:trials=2")
    early, late = explorer.Explorer(_ENVS), explorer.Explorer(_ENVS)
    world.reset()
    for step in range(60):
      early.observe(world)
      if step >= 10:
        late.observe(world)
        self.assertEqual(late.act(world).shape, (_ENVS, 6))
      world.step(early.act(world))
    # It knows only what it saw itself.
    known = late.known.touch >= 0
    self.assertTrue(known.any())
    np.testing.assert_array_equal(
      late.known.touch[known], early.known.touch[known]
    )

  def test_it_learns_the_rules_from_what_another_player_does(self):
    world = make_world("traps:candidates=4,trials=1")
    expert, watcher = players.make("expert", _ENVS), explorer.Explorer(_ENVS)
    world.reset()
    for _ in range(30):
      for player in (expert, watcher):
        player.observe(world)
      world.step(expert.act(world))
    right = 0
    for i, task in enumerate(world.tasks):
      makes = {
        rule.condition.object_types[0].type_id: rule.spawns[0].type_id
        for rule in task.rules
        if rule.condition.predicate == "near"
      }
      goal = task.players[0].goal.object_types[0].type_id
      learned = watcher.known.touch[i]
      for kind in np.flatnonzero(learned > 0):
        self.assertEqual(learned[kind], makes[kind])
      right += (learned == goal).any()
    # The expert often walks sideways to what it knows to be there, without
    # looking at it.
    self.assertGreaterEqual(right, _ENVS // 2)

  def test_it_does_not_read_what_it_is_not_shown(self):
    # Behind the explorer lies the goal's object, which it has never seen.
    task = Task.of(
      "near(player1, black cube)", [{"type": "black cube", "at": [[2, 0]]}],
      at=(0, 0), trials=1, trial_seconds=4,
    )  # fmt: skip
    world = fixtures.make_land(task)
    player = explorer.Explorer(2)
    world.reset()
    view = world.batch_view()
    away = view._replace(
      yaw=np.full((2, 1), np.pi, np.float32),
      visible=np.zeros_like(view.visible),
    )
    world.batch_view = lambda: away  # pyrefly: ignore[bad-assignment] (a fake)
    player.observe(world)
    self.assertFalse(player.known.types.any())
    action = player.act(world)[0]
    self.assertEqual(action[:2].tolist(), [1, 1])
    self.assertEqual(constants.TURN_RATES[action[2]], 3.0)

  def test_acts_only_on_what_it_has_observed(self):
    world = make_world("traps", num_envs=2)
    world.reset()
    with self.assertRaisesRegex(RuntimeError, "observes before it acts"):
      explorer.Explorer(2).act(world)


class PlayersTest(absltest.TestCase):
  def test_the_expert_s_rows_are_those_of_its_batch(self):
    world = make_world("traps+fetch")
    whole, parts = players.make("expert", _ENVS), players.make("expert", _ENVS)
    world.reset()
    for _ in range(40):
      whole.observe(world)
      parts.observe(world)
      actions = whole.act(world)
      rows = [parts.act(world, [i])[0] for i in reversed(range(_ENVS))]
      np.testing.assert_array_equal(rows[::-1], actions)
      world.step(actions)
    self.assertEqual(whole.act(world, []).shape, (0, 6))

  def test_names(self):
    for name in players.NAMES:
      player = players.make(name, 2)
      self.assertTrue(callable(player.act) and callable(player.observe))
    with self.assertRaisesRegex(ValueError, "player is 'me', allowed: expert,"):
      players.make("me", 2)


if __name__ == "__main__":
  absltest.main()
