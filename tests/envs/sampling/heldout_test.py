"""Tests of adaland.envs.sampling.heldout."""

import numpy as np
from absl.testing import absltest

from adaland.envs.sampling import heldout
from adaland.envs.tasks import probes
from adaland.envs.tasks.literals import parse_literal, parse_rule
from adaland.envs.tasks.task import World
from adaland.envs.worlds import generation, terrain


def form(goal, *rules):
  return heldout.canonical_form(
    [parse_literal(goal)], [parse_rule(rule) for rule in rules]
  )


class CanonicalFormTest(absltest.TestCase):
  def test_ignores_order(self):
    one = form(
      "near(black cube, yellow wall)",
      "touching(black wall, purple wall) -> black cube, yellow wall",
      "hold(player1, purple cube) -> purple wall",
    )
    other = form(
      "near(yellow wall, black cube)",
      "hold(player1, purple cube) -> purple wall",
      "touching(purple wall, black wall) -> yellow wall, black cube",
    )
    self.assertEqual(one, other)

  def test_tells_games_apart(self):
    rule = "near(black cube, black wall) -> black cube"
    games = [
      form("see(player1, black cube)", rule),
      form("see(black cube, player1)", rule),
      form("not see(player1, black cube)", rule),
      form("see(player1, black cube)"),
      form("see(player1, black cube)", rule, rule),
      form("see(player1, black cube)", rule + ", black cube"),
      form("see(player1, black cube)", rule.replace("near", "touching")),
    ]
    self.assertLen(set(games), len(games))

  def test_ignores_which_player_is_first(self):
    def written(goals, *rules):
      return heldout.canonical_form(
        list(map(parse_literal, goals)), list(map(parse_rule, rules))
      )

    rule = "hold(player{}, purple cube) -> black cube"
    one, two = "near(player1, black cube)", "see(black wall, player2)"
    self.assertEqual(
      written([one, two], rule.format(2)),
      written(
        ["see(black wall, player1)", "near(player2, black cube)"],
        rule.format(1),
      ),
    )
    different = [
      written([one, two], rule.format(1)),
      written([one, two], rule.format(2)),
      written([two, one], rule.format(1)),
      written([one, one], rule.format(2)),
      # A goal that both share makes it the game for one player.
      written([one], rule.format(1)),
    ]
    self.assertLen(set(different), len(different))
    self.assertEqual(different[-1], written([one, one], rule.format(1)))


class CanonicalTerrainTest(absltest.TestCase):
  def test_same_if_turned_or_mirrored(self):
    ground = generation.make_terrain(World(3, (9, 12), 3, walls=2, diagonals=4))
    heights, ramps, _ = ground
    self.assertTrue(ramps.any())
    self.assertGreater(ground.diagonals.sum(), 1)
    expected = heldout.canonical_terrain(ground)
    # Seen in a mirror along x, +x is -x.
    swapped = np.array([0, 3, 2, 1, 4, 6, 5, 8, 7])[ramps][::-1]
    mirrored = ground._replace(heights=heights[::-1], ramps=swapped)
    self.assertEqual(heldout.canonical_terrain(mirrored), expected)
    # With the axes exchanged, +x is +y.
    swapped = np.array([0, 2, 1, 4, 3, 5, 8, 7, 6])[ramps].T
    turned = ground._replace(heights=heights.T, ramps=swapped)
    self.assertEqual(heldout.canonical_terrain(turned), expected)
    wrong = ground._replace(heights=heights.T, ramps=ramps.T)
    self.assertNotEqual(heldout.canonical_terrain(wrong), expected)

  def test_an_empty_room_is_in_both_halves(self):
    flat = generation.make_terrain(World(3, (6, 8)))
    self.assertIsNone(heldout.is_heldout_terrain(flat))

  def test_share_of_heldout_terrains(self):
    sides = [
      heldout.is_heldout_terrain(
        generation.make_terrain(World(seed, (6, 8), 2))
      )
      for seed in range(400)
    ]
    # One in 8, give or take four standard errors.
    self.assertNotIn(None, sides)
    self.assertBetween(sides.count(True) / len(sides), 0.059, 0.191)


class SplitTest(absltest.TestCase):
  def test_share_of_heldout_games(self):
    # Every game of one rule over six types.
    colours = ("black", "purple", "yellow")
    objects = [f"{x} {y}" for x in colours for y in ("cube", "wall")]
    goals = [f"hold(player1, {x})" for x in objects]
    rules = [
      f"{p}({a}, {b}) -> {c}"
      for p in ("near", "touching")
      for i, a in enumerate(objects)
      for b in objects[i:]
      for c in objects
    ]
    games = [
      heldout.is_heldout([parse_literal(goal)], [parse_rule(rule)])
      for goal in goals
      for rule in rules
    ]
    # 1512 games: one in 8, give or take four standard errors.
    self.assertLen(games, 6 * 2 * 21 * 6)
    self.assertBetween(sum(games) / len(games), 0.091, 0.159)

  def test_the_held_out_half_never_changes(self):
    """An agent would be tested on games or terrains of its training."""
    colours = ("black", "purple", "yellow")
    objects = [f"{x} {y}" for x in colours for y in ("cube", "wall")]
    games = [
      (a, b)
      for a in objects
      for b in objects
      if heldout.is_heldout(
        [parse_literal(f"hold(player1, {a})")],
        [parse_rule(f"near({b}, purple wall) -> {a}")],
      )
    ]
    self.assertEqual(
      games,
      [
        ("black cube", "purple cube"),
        ("black cube", "yellow cube"),
        ("black wall", "yellow wall"),
        ("purple cube", "black wall"),
        ("yellow wall", "purple wall"),
      ],
    )
    grounds = []
    for number in range(1, 41):
      digits = [number // 27, number // 9 % 3, number // 3 % 3, number % 3]
      heights = np.reshape([*digits, 0, 0], (2, 3))
      flat = np.zeros_like(heights)
      if heldout.is_heldout_terrain(terrain.Terrain(heights, flat, flat)):
        grounds.append(number)
    self.assertEqual(grounds, [9, 14, 25, 26, 34, 38])

  def test_the_games_of_all_probes_are_held_out(self):
    for name in (*probes.names(1), *probes.names(2)):
      self.assertTrue(heldout.is_heldout_game(probes.load(name)), name)


if __name__ == "__main__":
  absltest.main()
