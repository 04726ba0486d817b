"""Tests of adaland.envs.worlds.scene."""

import itertools

import numpy as np
from absl.testing import absltest
from hypothesis import given, settings
from hypothesis import strategies as st

from adaland.envs import constants, shapes
from adaland.envs.physics import cpu
from adaland.envs.tasks import literals
from adaland.envs.tasks.task import ObjectSpec, PlayerSpec, Task, World
from adaland.envs.worlds import terrain
from adaland.envs.worlds.scene import build_scene
from tests.envs.physics import fakes

BLACK_CUBE = literals.ObjectType.from_name("black cube")
YELLOW_WALL = literals.ObjectType.from_name("yellow wall")


def make_task(types, world=None, goal="hold(player1, black cube)", **kwargs):
  return Task(
    world=world or World(0, (6, 6)),
    objects=tuple(ObjectSpec(kind) for kind in types),
    players=(PlayerSpec(literals.parse_literal(goal)),),
    **kwargs,
  )


def distance(scene, i, j):
  return float(np.linalg.norm(scene.slot_at[i, :2] - scene.slot_at[j, :2]))


class BuildSceneTest(absltest.TestCase):
  @settings(max_examples=60, deadline=None)
  @given(
    seed=st.integers(0, 10_000),
    tiles=st.tuples(st.integers(5, 12), st.integers(5, 12)),
    levels=st.integers(1, 4),
    types=st.lists(st.sampled_from(literals.OBJECT_TYPES), max_size=12),
  )
  def test_all_stand_free_on_level_ground(self, seed, tiles, levels, types):
    task = make_task(types, World(seed, tiles, levels))
    scene = build_scene(task, 16)
    positions = [(scene.player_at[0], constants.AVATAR_RADIUS, 0.0)]
    for slot, kind in enumerate(types):
      self.assertEqual(scene.slot_types[slot], kind.type_id)
      shape = shapes.shape_of_type(kind.type_id)
      positions.append(
        (scene.slot_at[slot], shape.footprint_radius, shape.centre_height)
      )
    self.assertFalse(scene.slot_types[len(types) :].any())
    circle = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    rim = np.stack([np.cos(circle), np.sin(circle)], 1)
    for at, radius, above in positions:
      ground = terrain.surface_height(
        scene.heights, scene.ramps, at[:2] + radius * rim
      )
      np.testing.assert_allclose(ground, at[2] - above, atol=1e-9)
      half = np.array(tiles) * constants.TILE_METRES / 2
      self.assertTrue((np.abs(at[:2]) + radius <= half).all())
    for (a, radius_a, _), (b, radius_b, _) in itertools.combinations(
      positions, 2
    ):
      gap = float(np.linalg.norm(a[:2] - b[:2]))
      self.assertGreater(gap, radius_a + radius_b)

  def test_same_arguments_same_scene(self):
    task = make_task(literals.OBJECT_TYPES, World(7, (9, 9), 3))
    first = build_scene(task, 24)
    build_scene.cache_clear()
    second = build_scene(task, 24)
    for a, b in zip(first, second, strict=True):
      np.testing.assert_array_equal(a, b)

  def test_related_bodies_start_apart(self):
    names = ("black cube", "purple cube", "black sphere")
    types = [literals.ObjectType.from_name(name) for name in names]
    rules = (literals.parse_rule("near(purple cube, black sphere) -> nothing"),)
    for seed in range(20):
      task = make_task(types, World(seed, (6, 6)), rules=rules)
      scene = build_scene(task, 8)
      self.assertGreater(distance(scene, 1, 2), 1.5)
      for slot in range(3):
        gap = scene.slot_at[slot, :2] - scene.player_at[0, :2]
        self.assertGreater(float(np.linalg.norm(gap)), 1.5)

  def test_negated_goal_starts_unreached(self):
    for kind in (BLACK_CUBE, YELLOW_WALL):
      for seed in range(20):
        task = make_task(
          [literals.OBJECT_TYPES[7], YELLOW_WALL, kind],
          World(seed, (6, 6)),
          goal=f"not near({kind}, {literals.OBJECT_TYPES[7]})",
        )
        scene = build_scene(task, 8)
        gaps = [
          distance(scene, 0, slot)
          for slot in (1, 2)
          if scene.slot_types[slot] == kind.type_id
        ]
        self.assertLess(min(gaps), constants.NEAR_METRES)

  def test_negated_touching_starts_in_contact(self):
    purple = literals.ObjectType.from_name("purple cube")
    condition = f"not touching({purple}, {YELLOW_WALL}) -> nothing"
    rules = (literals.parse_rule(condition),)
    for seed in range(10):
      task = make_task(
        [YELLOW_WALL, BLACK_CUBE, purple],
        World(seed, (6, 6)),
        goal="not touching(player1, black cube)",
        rules=rules,
      )
      scene = build_scene(task, 8)
      # Side by side along x: half the wall's depth and half the cube's.
      self.assertAlmostEqual(distance(scene, 0, 2), 0.28, delta=0.001)
      self.assertEqual(scene.slot_yaw[0], scene.slot_yaw[2])
      gap = scene.slot_at[1] - scene.player_at[0]
      self.assertAlmostEqual(np.hypot(*gap[:2]), 0.45, delta=0.001)
      facing = np.arctan2(gap[1], gap[0])
      self.assertAlmostEqual(scene.slot_yaw[1], facing)

  def test_any_two_shapes_of_negated_touching_start_in_contact(self):
    """The physics says so, with the player as one of the shapes."""
    names = "player1", "black wall", "black cube", "black sphere"
    physics = cpu.CpuPhysics(1, 3, 1, num_threads=1)
    for a, b in itertools.combinations((*names, "black pyramid"), 2):
      objects = [x for x in (a, b) if x != "player1"]
      types = [literals.ObjectType.from_name(x) for x in objects]
      rules = (literals.parse_rule(f"not touching({a}, {b}) -> nothing"),)
      for seed in range(3):
        task = make_task(
          [*types, YELLOW_WALL],
          World(seed, (6, 6)),
          goal="hold(player1, yellow wall)",
          rules=rules,
        )
        physics.load(np.array([0]), [build_scene(task, 3)])
        state = physics.state()
        first, second = len(objects) - 1, len(objects)
        self.assertTrue(state.touching[0, first, second], (a, b))
        # They don't push each other apart.
        physics.step(fakes.control())
        moved = physics.state().object_pos - state.object_pos
        self.assertLess(np.abs(moved[..., :2]).max(), 0.001, (a, b))

  def test_given_positions_are_kept(self):
    world = World(0, (3, 3), 2, ((0, 0, 0), (0, 0, 0), (1, 1, 1)))
    task = Task(
      world,
      objects=(ObjectSpec(BLACK_CUBE, 2, ((1.0, -1.0), None)),),
      players=(
        PlayerSpec(
          literals.parse_literal("hold(player1, black cube)"), (-1, 1)
        ),
      ),
    )
    scene = build_scene(task, 4)
    np.testing.assert_allclose(scene.player_at[0], [-1, 1, 0])
    # On the upper level, half a metre up, plus half the cube.
    np.testing.assert_allclose(scene.slot_at[0], [1, -1, 0.7])
    self.assertEqual(scene.slot_yaw[0], 0)

  def test_an_object_at_a_cliff_s_edge_is_on_top_of_it(self):
    task = Task.of(
      goal="hold(player1, black cube)",
      objects=[{"type": "black cube", "at": [[0.4, 0.0]]}],
      heights=[[0] * 3, [0] * 3, [1] * 3],
      at=(-1.0, 0.0),
    )
    np.testing.assert_allclose(build_scene(task, 4).slot_at[0], [0.4, 0, 0.7])

  def test_bodies_flush_with_a_cliff_are_at_its_foot(self):
    cliff = [[0] * 4, [0] * 4, [2] * 4, [2] * 4]  # Its edge is at x = 0.
    for side, heights in ((-1, cliff), (1, cliff[::-1])):
      task = Task.of(
        goal="hold(player1, black cube)",
        objects=[{"type": "black cube", "at": [(side * 0.2, 0.5)]}],
        heights=heights,
        at=(side * 0.25, -0.5),
      )
      scene = build_scene(task, 4)
      np.testing.assert_allclose(scene.slot_at[0], [side * 0.2, 0.5, 0.2])
      np.testing.assert_allclose(scene.player_at[0], [side * 0.25, -0.5, 0])

  def test_shared_arrays_are_read_only(self):
    for array in build_scene(make_task([BLACK_CUBE]), 4):
      self.assertFalse(array.flags.writeable)

  def test_refuses_given_positions_on_inner_walls(self):
    goal = literals.parse_literal("hold(player1, black cube)")

    def build(seed, player_at, cube_at):
      world = World(seed, (8, 8), walls=3)
      cube = ObjectSpec(BLACK_CUBE, at=(cube_at,))
      player = PlayerSpec(goal, player_at)
      return build_scene(Task(world, (cube,), (player,)), 4)

    at = (0.0, 0.0)
    corners = np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]])
    for name, radius, given_at in (
      ("player1", constants.AVATAR_RADIUS, (at, None)),
      ("black cube", 0.2, (None, at)),
    ):
      refused = 0
      for seed in range(20):
        drawn = build(seed, None, None)
        ground = terrain.surface_height(
          drawn.heights, drawn.ramps, radius * corners
        )
        if not ground.any():
          build(seed, *given_at)
          continue
        refused += 1
        message = rf"{name} at \(0.0, 0.0\) is on an inner wall, allowed: "
        with self.assertRaisesRegex(ValueError, message):
          build(seed, *given_at)
      self.assertBetween(refused, 1, 19)

  def test_frozen_is_passed_on(self):
    task = Task(
      World(),
      (ObjectSpec(BLACK_CUBE, frozen=True), ObjectSpec(YELLOW_WALL)),
      (PlayerSpec(literals.parse_literal("hold(player1, yellow wall)")),),
    )
    scene = build_scene(task, 3)
    self.assertEqual(scene.slot_frozen.tolist(), [True, False, False])

  def test_refuses_too_few_slots(self):
    task = make_task([BLACK_CUBE] * 3)
    with self.assertRaisesRegex(ValueError, "objects in the task is 3.*most 2"):
      build_scene(task, 2)

  def test_a_player_that_the_task_lacks_is_below_the_ground(self):
    task = make_task([BLACK_CUBE])
    alone, absent = build_scene(task, 4), build_scene(task, 4, num_players=2)
    np.testing.assert_array_equal(absent.player_at[0], alone.player_at[0])
    np.testing.assert_array_equal(absent.slot_at, alone.slot_at)
    self.assertLess(absent.player_at[1, 2], -10)

  def test_refuses_more_players_than_the_environment_has(self):
    goal = PlayerSpec(literals.parse_literal("hold(player1, black cube)"))
    task = Task(World(), (ObjectSpec(BLACK_CUBE),), (goal, goal))
    with self.assertRaisesRegex(ValueError, "players in the task is 2.*most 1"):
      build_scene(task, 4)

  def test_refuses_a_full_room(self):
    task = make_task([YELLOW_WALL] * 20, World(0, (3, 3)))
    with self.assertRaisesRegex(ValueError, "no room for yellow wall"):
      build_scene(task, 24)

  def test_refuses_objects_inside_each_other(self):
    task = Task(
      World(),
      (ObjectSpec(BLACK_CUBE, 2, ((0.0, 0.0), (0.1, 0.0))),),
      (PlayerSpec(literals.parse_literal("hold(player1, black cube)")),),
    )
    for num_players in (1, 2):
      with self.assertRaisesRegex(
        ValueError,
        r"^black cube at \(0.0, 0.0\) and black cube at \(0.1, 0.0\) are "
        "0.30 m inside each other",
      ):
        build_scene(task, 4, num_players)

  def test_only_frozen_objects_may_be_inside_each_other(self):
    task = Task(
      World(),
      (
        ObjectSpec(BLACK_CUBE, at=((0.0, 0.0),), frozen=True),
        ObjectSpec(YELLOW_WALL, at=((0.1, 0.0),)),
      ),
      (PlayerSpec(literals.parse_literal("hold(player1, yellow wall)")),),
    )
    with self.assertRaisesRegex(ValueError, "inside each other"):
      build_scene(task, 4)

  def test_bodies_may_touch_at_given_positions(self):
    for gap in (0.4, 0.395):  # Cubes of 0.4 m; up to 1 cm counts as rounding.
      task = Task(
        World(),
        (ObjectSpec(BLACK_CUBE, 2, ((0.0, 0.0), (gap, 0.0))),),
        (PlayerSpec(literals.parse_literal("hold(player1, black cube)")),),
      )
      build_scene(task, 4)

  def test_refuses_overlaps_of_the_true_shapes_alone(self):
    """A wall is 0.8 m along y and 0.16 m along x."""

    def build(kind, at, frozen=False):
      goal = literals.parse_literal("hold(player1, black cube)")
      return build_scene(
        Task(
          World(),
          (
            ObjectSpec(YELLOW_WALL, at=((0.0, 0.0),), frozen=frozen),
            ObjectSpec(kind, at=(at,), frozen=frozen),
          ),
          (PlayerSpec(goal, (-2.0, -2.0)),),
        ),
        4,
      )

    sphere = literals.ObjectType.from_name("black sphere")
    pyramid = literals.ObjectType.from_name("black pyramid")
    for kind, at in (
      (BLACK_CUBE, (0.29, 0.0)),
      (BLACK_CUBE, (0.0, 0.61)),
      (sphere, (0.0, 0.63)),
      (pyramid, (0.34, 0.0)),
    ):
      build(kind, at)
    for kind, at in (
      (BLACK_CUBE, (0.0, 0.3)),
      (sphere, (0.0, 0.55)),
      (pyramid, (0.25, 0.3)),
    ):
      with self.assertRaisesRegex(ValueError, "inside each other, allowed"):
        build(kind, at)
      build(kind, at, frozen=True)


if __name__ == "__main__":
  absltest.main()
