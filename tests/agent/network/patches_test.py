"""Tests of adaland.agent.network.patches."""

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from adaland.agent.config import PatchesConfig
from adaland.agent.network import patches

_CONFIG = PatchesConfig(
  size=4, window=1, dropped=0.5, width=8, num_layers=1, num_heads=2
)


def _pictures(num: int = 3) -> np.ndarray:
  rng = np.random.default_rng(0)
  return rng.integers(256, size=[num, 8, 12, 3]).astype(np.uint8)


class SplitTest(parameterized.TestCase):
  def test_patches_tile_the_picture_and_its_middle(self):
    pictures = _pictures(1)
    coarse, fine = patches.split(jnp.asarray(pictures), _CONFIG)
    self.assertEqual(coarse.shape, (1, 6, 48))
    self.assertEqual(fine.shape, (1, 4, 12))
    self.assertEqual(patches.split_sizes((8, 12), _CONFIG), (6, 4))
    np.testing.assert_array_equal(
      coarse[0, 5].reshape(4, 4, 3), pictures[0, 4:, 8:]
    )
    # The middle is rows 2 to 6 and columns 4 to 8.
    np.testing.assert_array_equal(
      fine[0, 2].reshape(2, 2, 3), pictures[0, 4:6, 4:6]
    )

  def test_each_picture_keeps_other_patches(self):
    places = np.asarray(patches.draw(jax.random.PRNGKey(0), 200, 8, 0.75))
    self.assertEqual(places.shape, (200, 2))
    self.assertTrue(np.all(places[:, 0] != places[:, 1]))
    counts = np.bincount(places.ravel(), minlength=8)
    # 50 expected of each; the deviation is 6.
    self.assertGreater(counts.min(), 25)
    self.assertLess(counts.max(), 80)

  def test_a_share_of_the_patches_is_left_out(self):
    for dropped, num_patches, kept in ((0.29, 100, 71), (0.5, 9, 5)):
      places = jax.eval_shape(
        lambda key, n=num_patches, x=dropped: patches.draw(key, 1, n, x),
        jax.random.PRNGKey(0),
      )
      self.assertEqual(places.shape, (1, kept))


class AttentionTest(absltest.TestCase):
  def test_equals_the_formula(self):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 3, 4))
    attend = hk.without_apply_rng(
      hk.transform(lambda x: patches._Attention(2, 1.0, "f")(x))
    )
    params = {
      "f/in": {"w": rng.normal(size=(4, 12)).astype(np.float32)},
      "f/out": {"w": rng.normal(size=(4, 4)).astype(np.float32)},
    }
    heads = (x @ params["f/in"]["w"]).reshape(2, 3, 3, 2, 2)
    read = np.zeros((2, 3, 2, 2))
    for picture in range(2):
      for head in range(2):
        query, key, value = np.moveaxis(heads[picture, :, :, head], 1, 0)
        weights = np.exp(query @ key.T / np.sqrt(2))
        weights /= weights.sum(axis=1, keepdims=True)
        read[picture, :, head] = weights @ value
    np.testing.assert_allclose(
      attend.apply(params, x.astype(np.float32)),
      read.reshape(2, 3, 4) @ params["f/out"]["w"],
      rtol=1e-4,
      atol=1e-5,
    )


class PatchEncoderTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    encode = hk.transform(
      lambda x: patches.PatchEncoder(_CONFIG, 5)(x, jnp.float32)
    )
    self.encode = jax.jit(encode.apply)
    self.params = jax.jit(encode.init)(jax.random.PRNGKey(0), _pictures())

  def test_acting_sees_every_patch(self):
    pictures = _pictures()
    seen = self.encode(self.params, None, pictures)
    self.assertEqual(seen.shape, (3, 5))
    for y, x in ((0, 0), (4, 8), (3, 5)):
      changed = pictures.copy()
      changed[1, y : y + 2, x : x + 2] ^= 255
      other = self.encode(self.params, None, changed)
      self.assertGreater(np.abs(other[1] - seen[1]).max(), 1e-6)
      np.testing.assert_array_equal(other[0], seen[0])

  def test_learning_computes_nothing_of_the_patches_it_leaves_out(self):
    key = jax.random.PRNGKey(2)
    pictures = _pictures(1)
    seen = self.encode(self.params, key, pictures)
    # The corners, which the middle does not touch: each one changes the result
    # or is dropped.
    changes = 0
    for row in range(2):
      for column in (0, 2):
        changed = pictures.copy()
        changed[0, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4] ^= 255
        other = self.encode(self.params, key, changed)
        changes += bool(np.any(np.asarray(other) != np.asarray(seen)))
    self.assertBetween(changes, 1, 3)
    other = self.encode(self.params, jax.random.PRNGKey(3), pictures)
    self.assertGreater(np.abs(other - seen).max(), 1e-6)

  def test_a_patch_is_known_by_its_place_whatever_is_left_out(self):
    places = patches.draw(jax.random.PRNGKey(1), 5, 6, 0.5)
    codes = hk.transform(
      lambda: patches.PatchEncoder(_CONFIG, 5).positions(
        (6, 4), [places, None], jnp.float32
      )
    )
    got = jax.jit(codes.apply)(self.params, None)
    self.assertEqual(got.shape, (5, 7, 8))
    table = self.params["patches"]["positions"]
    np.testing.assert_allclose(got[:, :3], table[places], rtol=1e-6)
    np.testing.assert_allclose(got[4, 3:], table[6:], rtol=1e-6)


if __name__ == "__main__":
  absltest.main()
