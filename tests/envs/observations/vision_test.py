"""Tests of adaland.envs.observations.vision."""

import jax.numpy as jnp
import numpy as np
from absl.testing import absltest

from adaland.envs import constants
from adaland.envs.observations import vision
from adaland.envs.physics import base
from adaland.envs.tasks.literals import Literal
from tests.envs import fixtures


def _shade(
  distance,
  node,
  normal,
  origin=(0, 0, 1.0),
  direction=(1, 0, 0),
  colours=None,
):
  return np.asarray(
    vision.shade(
      jnp.asarray([origin], jnp.float32),
      jnp.asarray([direction], jnp.float32),
      jnp.asarray([distance], jnp.float32),
      jnp.asarray([node], jnp.int32),
      jnp.asarray([normal], jnp.float32),
      jnp.asarray([13, 3], jnp.int32),  # A player and a yellow wall.
      colours or _look(),
    )
  )[0]


def _look(tint=(1.0, 1.0, 1.0)):
  colours = (0.24, 0.42, 0.24), (0.80, 0.74, 0.52), _LIGHT, tint
  return vision.Look(*(np.asarray(x, np.float32) for x in colours))


_LIGHT = (0.36, 0.48, 0.80)


class ShadeTest(absltest.TestCase):
  def test_no_hit_is_sky(self):
    np.testing.assert_array_equal(
      _shade(-1.0, base.NODE_NONE, (0, 0, 0)), [140, 191, 242]
    )

  def test_full_light_at_no_distance_is_the_types_colour(self):
    np.testing.assert_array_equal(_shade(0.0, 1, _LIGHT), [250, 217, 26])

  def test_player_1_is_red(self):
    red, _, blue = _shade(0.0, 0, _LIGHT).astype(int)
    self.assertGreater(red, 2 * blue)

  def test_turned_away_from_the_light_only_ambient_is_left(self):
    dark = tuple(-x for x in _LIGHT)
    np.testing.assert_array_equal(
      _shade(0.0, 1, dark), np.round(0.55 * 255 * np.array([0.98, 0.85, 0.1]))
    )

  def test_fades_into_the_sky(self):
    near, far = (_shade(d, 1, _LIGHT).astype(int) for d in (1.0, 20.0))
    sky = np.array([140, 191, 242])
    self.assertGreater(np.abs(near - sky).sum(), np.abs(far - sky).sum())
    share = np.exp(-20 / 30)
    expected = sky + share * (255 * np.array([0.98, 0.85, 0.1]) - sky)
    np.testing.assert_allclose(far, expected, atol=1)

  def test_ground_is_checkered_and_brighter_above(self):
    def ground(x, z, normal=(0, 0, 1)):
      return _shade(0.0, base.NODE_TERRAIN, normal, origin=(x, 0.5, z)).astype(
        int
      )

    self.assertGreater(ground(0.5, 0).sum(), ground(1.5, 0).sum())
    np.testing.assert_array_equal(ground(0.5, 0), ground(2.5, 0))
    self.assertGreater(ground(0.5, 1.0).sum(), ground(0.5, 0).sum())
    steep = ground(0.5, 0, normal=(0.8, 0.6, 0))
    self.assertGreater(steep[0], steep[1])  # Bare earth, not green.

  def test_coloured_light_does_not_colour_the_shade(self):
    yellow = np.array([0.98, 0.85, 0.1])
    tint = (1.0, 0.9, 0.8)
    for normal, share in ((_LIGHT, 1.0), (tuple(-x for x in _LIGHT), 0.0)):
      found = _shade(0.0, 1, normal, colours=_look(tint))
      lit = 0.55 + 0.45 * share * np.array(tint)
      np.testing.assert_array_equal(found, np.round(255 * yellow * lit))


class LookTest(absltest.TestCase):
  def test_worlds_differ_and_stay_the_same(self):
    for a, b in zip(vision.look(7), vision.look(7), strict=True):
      np.testing.assert_array_equal(a, b)
    for a, b in zip(vision.look(7), vision.look(8), strict=True):
      self.assertGreater(np.abs(a - b).max(), 0.01)

  def test_ground_is_never_coloured_as_objects_are(self):
    objects = np.array(
      [[0.1, 0.1, 0.11], [0.58, 0.16, 0.72], [0.98, 0.85, 0.1]]
    )
    share = np.linspace(0, 1, 4)[:, None]
    for seed in range(500):
      look = vision.look(seed)
      ground = look.low + share * (look.high - look.low)
      apart = np.linalg.norm(ground[:, None] - objects, axis=-1)
      self.assertGreater(apart.min(), 0.2, seed)

  def test_light_comes_from_above(self):
    for seed in range(100):
      look = vision.look(seed)
      self.assertAlmostEqual(float(np.linalg.norm(look.light)), 1, places=5)
      self.assertGreater(look.light[2], 0.5)
      self.assertBetween(look.tint.min(), 0.78, 1.0)
      self.assertEqual(look.tint.max(), 1.0)


class PixelDirectionsTest(absltest.TestCase):
  def test_covers_the_field_of_view(self):
    view = vision.pixel_directions(4, 2).reshape(2, 4, 3)
    np.testing.assert_allclose(np.linalg.norm(view, axis=-1), 1, rtol=1e-6)
    slopes = view[..., 1:] / view[..., :1]
    np.testing.assert_allclose(
      slopes[0, :, 0], [0.75, 0.25, -0.25, -0.75], atol=1e-6
    )
    np.testing.assert_allclose(slopes[:, 0, 1], [0.25, -0.25], atol=1e-6)


class PictureTest(absltest.TestCase):
  def test_a_known_object_is_where_it_should_be(self):
    task = fixtures.make_task(
      [(fixtures.SPHERE, (1.5, 0.0))],
      Literal("hold", fixtures.PLAYER, fixtures.SPHERE),
      trial_seconds=8.0,
    )
    env = fixtures.make_land(task, config=fixtures.PIXELS)
    env.reset()
    for _ in range(30):
      actions = fixtures.noop()
      for i in range(env.num_envs):
        rates = np.asarray(constants.TURN_RATES) * constants.STEP_SECONDS
        yaw = env.state_view(i).yaw[0]
        actions[i, 2] = np.abs(rates + yaw).argmin()
      step = env.step(actions)
    picture = step.observation["pixels"][0].astype(int)
    self.assertEqual(picture.shape, (18, 24, 3))
    yellow = (picture[..., 0] > 90) & (picture[..., 2] < picture[..., 0] / 2)
    yellow &= picture[..., 1] > 0.7 * picture[..., 0]
    yellow &= picture[..., 1] < 1.1 * picture[..., 0]
    rows, columns = np.nonzero(yellow)
    # Centre: 1.5 m ahead, 0.63 m down, view 0.35 rad down: slope -0.05.
    view = env.state_view(0)
    angle = np.arctan2(view.object_pos[0, 2] - 0.85, 1.5) - view.pitch[0]
    row = 18 / 2 - np.tan(angle) * 12 - 0.5
    column = 24 / 2 + np.tan(view.yaw[0]) * 12 - 0.5
    self.assertAlmostEqual(rows.mean(), row, delta=0.7)
    self.assertAlmostEqual(columns.mean(), column, delta=0.7)
    # A disc of about 0.22 / 1.63 * 12 = 1.6 pixels' radius.
    self.assertBetween(yellow.sum(), 5, 12)


if __name__ == "__main__":
  absltest.main()
