"""Tests of adaland.envs.tasks.probes."""

import json
import pathlib

from absl.testing import absltest, parameterized

from adaland.envs import constants
from adaland.envs.tasks import json_files, planner, probes
from adaland.envs.tasks.task import Hiding
from adaland.envs.worlds import scene, terrain
from adaland.envs.worlds.regions import find_regions
from tests.envs.worlds.generation_test import reachable

# The paper's three "all visible" probes, one that masks objects instead, and
# one with a single hidden rule.
_NOT_ALL_HIDDEN = {
  "wrong-pair-disappears-partial-hiding": (),
  "irreversible-production-visible": (),
  "small-workstation-visible": (),
  "crafting-tree-visible": (),
  "crafting-tree-hidden-shortcut": (4,),
}


class ProbesTest(parameterized.TestCase):
  def test_thirty_with_distinct_games_or_worlds(self):
    self.assertLen(probes.names(), 30)
    tasks = [probes.load(name) for name in probes.names()]
    self.assertLen(set(tasks), 30)

  def test_files_are_of_the_format_that_is_written(self):
    files = list(
      pathlib.Path(constants.__file__).parent.rglob("probes/**/*.json")
    )
    self.assertLen(files, 58)
    for file in files:
      self.assertEqual(
        json.loads(file.read_text())["format"], json_files.FORMAT
      )

  @parameterized.parameters(*probes.names())
  def test_is_runnable_and_solvable(self, name):
    task = probes.load(name)
    self.assertEqual(task.name.replace(" ", "-"), name)
    self.assertLen(task.players, 1)
    self.assertIsNotNone(planner.shortest_solution(task))
    scene.build_scene(task, constants.MAX_OBJECTS, 1)
    self.assertEqual(json_files.from_json(json_files.to_json(task)), task)
    hidden = _NOT_ALL_HIDDEN.get(name, tuple(range(1, len(task.rules) + 1)))
    self.assertEqual(task.hiding[0].rules, hidden)

  @parameterized.parameters(*probes.names(2))
  def test_of_two_players_is_runnable_and_solvable(self, name):
    task = probes.load(name)
    self.assertEqual(task.name.replace(" ", "-"), name)
    self.assertLen(task.players, 2)
    self.assertEqual(task.players[0].goal, task.players[1].goal)
    self.assertIsNotNone(planner.shortest_solution(task))
    scene.build_scene(task, constants.MAX_OBJECTS, 2)
    self.assertEqual(json_files.from_json(json_files.to_json(task)), task)
    every = tuple(range(1, len(task.rules) + 1))
    if name.endswith("-visible"):
      self.assertEqual(task.hiding, (Hiding(),) * 2)
    elif "partial" in name:
      self.assertLen(task.hiding[1].objects, 3)
    else:
      self.assertEqual(task.hiding[1].rules, every)
      knows = "asymmetry" in name  # Player 1 alone.
      self.assertEqual(task.hiding[0].rules, () if knows else every)

  def test_twenty_eight_of_two_players(self):
    tasks = [probes.load(name) for name in probes.names(2)]
    self.assertLen(set(tasks), 28)

  @parameterized.parameters(
    "pass-over-the-wall",
    "pass-over-the-wall-repeatedly",
    "coordinated-exchange",
    "overcooked-forced-coordination-hidden",
    "combine-outputs",
  )
  def test_a_wall_parts_the_players(self, name):
    built = scene.build_scene(probes.load(name), constants.MAX_OBJECTS, 2)
    regions = find_regions(built.heights, built.ramps)
    one, other = (
      regions[tuple(terrain.tile_of(built.heights, at[:2]))]
      for at in built.player_at
    )
    self.assertNotEqual(one, other)

  def test_same_signature_tasks_look_the_same(self):
    names = [n for n in probes.names() if n.startswith("same-signature")]
    tasks = [probes.load(name) for name in names]
    self.assertLen(tasks, 4)
    self.assertLen({t.rules for t in tasks}, 4)
    self.assertLen(
      {(t.world, t.objects, t.players, len(t.rules)) for t in tasks}, 1
    )

  def test_one_of_three_spheres_is_reached_in_a_trial(self):
    built = scene.build_scene(probes.load("three-spheres-jumbled"), 3)
    player, *spheres = (
      tuple(map(int, terrain.tile_of(built.heights, at[:2])))
      for at in [built.player_at[0], *built.slot_at]
    )
    ways = (built.heights, built.ramps)
    self.assertLessEqual({*spheres}, reachable(*ways, player))
    for sphere in spheres:
      there = reachable(*ways, sphere)
      self.assertLen(there.intersection(spheres), 1)

  def test_nothing_can_be_carried_around_transform_to_transport(self):
    task = probes.load("transform-to-transport")
    goal = task.players[0].goal
    [target] = [spec for spec in task.objects if spec.type == goal.b]
    self.assertTrue(target.frozen)
    self.assertIn(f"hold(player1, {goal.a}) -> nothing", map(str, task.rules))

  def test_unknown_name_lists_the_nearest(self):
    with self.assertRaisesRegex(ValueError, "'antimater'.*antimatter"):
      probes.load("antimater")


if __name__ == "__main__":
  absltest.main()
