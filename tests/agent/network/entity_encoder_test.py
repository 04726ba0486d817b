import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest

from adaland.agent.config import NetworkConfig
from adaland.agent.network import entity_encoder

_CONFIG = NetworkConfig(entity_size=6)


def _entity(shape: int, colour: int) -> np.ndarray:
  """Returns a visible entity straight ahead."""
  row = np.zeros(16, np.float32)
  row[[0, 1, 4]] = (1, 0.2, 0.2)
  row[6 + shape - 1] = 1
  row[11 + colour - 1] = 1
  return row


class TypesTest(absltest.TestCase):
  def test_entities_are_compared_with_arguments_by_type(self):
    entities = np.stack(
      [_entity(2, 1), _entity(3, 3), _entity(5, 1), np.zeros(16, np.float32)]
    )[None]
    # Black cube with a hidden object; player 1 with nothing.
    goals = np.array([[0, 2, 2, 1, 6, 0], [1, 2, 5, 1, 0, 0]], np.int32)
    entity_types = entity_encoder.entity_types(jnp.asarray(entities), _CONFIG)
    same = entity_encoder._same(
      jnp.tile(entity_types, (2, 1)),
      entity_encoder.argument_types(goals, _CONFIG),
      jnp.float32,
    )
    np.testing.assert_array_equal(
      same,
      [
        [[1, 0], [0, 0], [0, 0], [0, 0]],
        [[0, 0], [0, 0], [1, 0], [0, 0]],
      ],
    )

  def test_a_shape_of_a_user_s_is_known_by_its_id(self):
    ids = (1, 2, 3, 4, 18, 5)
    config = NetworkConfig(
      num_shape_ids=19, entity_shapes=6, entity_shape_ids=ids
    )
    rows = np.zeros((1, 2, 17), np.float32)
    rows[0, :, 0] = 1
    rows[0, [0, 1], [6 + 4, 6 + 5]] = 1  # The shape, a player,
    rows[0, :, 12] = 1  # of the first colour.
    found = entity_encoder.entity_types(jnp.asarray(rows), config)
    np.testing.assert_array_equal(found, [[18 * 4 + 1, 5 * 4 + 1]])


class PoolTest(absltest.TestCase):
  def test_numbers(self):
    h = jnp.array([[[1.0, 5.0], [3.0, 1.0], [0.0, 0.0]]])
    visible = jnp.array([[[1.0], [1.0], [0.0]]])
    of_goal = jnp.array([[[0.0, 0.0], [1.0, 0.0], [0.0, 0.0]]])
    nearest = jnp.array([[0.75, 0.25, 0.0]])
    np.testing.assert_array_equal(
      entity_encoder._pool(h, visible, of_goal, nearest),
      [[3, 5, 2, 3, 3, 1, 0, 0, 1.5, 4]],
    )

  def test_gradient_of_weighted_sums_is_that_of_the_plain_product(self):
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(3, 4, 5)).astype(np.float32)
    h = rng.normal(size=(3, 5, 2)).astype(np.float32)

    def plain(h):
      return jnp.sum(jnp.square(jnp.einsum("bge,bed->bgd", weights, h)))

    def ours(h):
      return jnp.sum(jnp.square(entity_encoder._weighted_sums(weights, h)))

    np.testing.assert_allclose(ours(h), plain(h), rtol=1e-5)
    np.testing.assert_allclose(
      jax.grad(ours)(h), jax.grad(plain)(h), rtol=1e-4, atol=1e-5
    )

  def test_the_nearest_in_view_outweighs_the_rest(self):
    entities = np.stack(
      [_entity(2, 1), _entity(3, 3), np.zeros(16, np.float32)]
    )[None]
    entities[0, :2, 4] = 0.1, 0.2  # One metre and two.
    far, near = np.exp(-8.0), np.exp(-4.0)
    np.testing.assert_allclose(
      entity_encoder._nearest(jnp.asarray(entities)),
      [[near / (near + far), far / (near + far), 0]],
      rtol=1e-5,
    )
    np.testing.assert_array_equal(
      entity_encoder._nearest(jnp.zeros([1, 3, 16])), np.zeros([1, 3])
    )

  def test_maximum_of_any_number(self):
    rng = np.random.default_rng(0)
    for num in (1, 2, 3, 5, 8):
      h = rng.normal(size=(2, num, 3)).astype(np.float32)
      np.testing.assert_array_equal(
        entity_encoder._max(jnp.asarray(h)), h.max(axis=1)
      )


if __name__ == "__main__":
  absltest.main()
