"""Tests of adaland.envs.expert.exploring.guide."""

import numpy as np
from absl.testing import absltest

from adaland.envs import land
from adaland.envs.expert import players
from adaland.envs.expert.exploring import guide, notes
from adaland.envs.sampling import candidates
from adaland.envs.tasks.task import Task
from tests.envs import fixtures

# Numbers of tasks of the families.
_FAMILIES = (
  (candidates.Traps, 2),
  (candidates.Find, 2),
  (candidates.Fetch, 3),
  (candidates.Chain, 3),
)


class PlayTest(absltest.TestCase):
  """Tests of an episode of each of ten held-out tasks."""

  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    cls.tasks = tasks = [
      kind(trials=(2, 2)).held_out().task(i)
      for kind, number in _FAMILIES
      for i in range(number)
    ]
    world = land.Land(
      fixtures.NUM_PLAYED, fixtures.CONFIG, lambda i: tasks[i], seed=0
    )
    world.reset()
    player = players.make("guide", len(tasks))
    assert isinstance(player, guide.Guide)
    cls.rewards = np.zeros((len(tasks), 2))
    cls.first = [0] * len(tasks)  # The type that is first in the hand.
    plays = np.ones(len(tasks), bool)
    while plays.any():
      player.observe(world)
      view = world.batch_view()
      for i in np.flatnonzero(plays):
        cls.rewards[i] = view.trial_rewards[i, :2, 0]
        if view.held[i, 0] >= 0:
          held = view.slot_types[i, view.held[i, 0]]
          cls.first[i] = cls.first[i] or int(held)
      plays &= ~world.step(player.act(world)).last

  def test_it_needs_no_trial_to_find_out(self):
    # A tutor finds the right one of two to four in the first trial by chance.
    found = (self.rewards > 1).sum(axis=0)
    np.testing.assert_array_less(len(self.tasks) - 2, found)

  def test_it_takes_the_right_object_first(self):
    for task, kind in list(zip(self.tasks, self.first, strict=True))[4:7]:
      goal = task.players[0].goal.object_types[0]
      [rule] = [rule for rule in task.rules if goal in rule.spawns]
      self.assertIn(kind, [x.type_id for x in rule.condition.object_types])


class GuideTest(absltest.TestCase):
  def test_it_is_told_effects_of_what_is_near(self):
    task = Task.of(
      goal="near(player1, black sphere)",
      objects=[
        "black cube",
        "purple cube",
        {"type": "black wall", "frozen": True},
      ],
      rules=[
        # Of several products, the useful one; of equal rules, the first.
        "near(player1, purple cube) -> purple wall, yellow cube",
        "near(player1, purple cube) -> purple wall",
        "near(yellow cube, black wall) -> black sphere",
        "near(black cube, black wall) -> nothing",
        "see(yellow cube, purple cube) -> nothing",
        "not near(player1, black cube) -> yellow wall",
      ],
      hide_rules=[1, 2, 3, 4, 5, 6],
    )
    world = fixtures.make_land(task)
    world.reset()
    player = guide.Guide(fixtures.NUM_ENVS)
    player.observe(world)
    known = player.known
    kinds = {
      str(x): x.type_id
      for rule in task.rules
      for x in (*rule.condition.object_types, *rule.spawns)
    }
    at = {name.replace(" ", "_"): i for name, i in kinds.items()}
    touch = {i: known.touch[0, i] for i in kinds.values()}
    self.assertEqual(touch[at["purple_cube"]], at["yellow_cube"])
    others = {touch[i] for i in touch if i != at["purple_cube"]}
    self.assertEqual(others, {notes.INERT})
    wall, pair = at["black_wall"], known.pair[0]
    for a, b in ((at["yellow_cube"], wall), (wall, at["yellow_cube"])):
      self.assertEqual(pair[a, b], at["black_sphere"])
    self.assertEqual(pair[at["black_cube"], wall], notes.VANISHES)
    told = np.argwhere(pair == notes.VANISHES)
    self.assertLen(told, 2)
    self.assertEqual(pair[at["black_cube"], at["purple_cube"]], notes.INERT)

  def test_what_it_can_not_play_is_named(self):
    task = Task.of(goal="hold(player1, black cube)", objects=["black cube"])
    world = fixtures.make_land(task)
    world.reset()
    with self.assertRaisesRegex(ValueError, "the guide can't play it"):
      guide.Guide(fixtures.NUM_ENVS).observe(world)


if __name__ == "__main__":
  absltest.main()
