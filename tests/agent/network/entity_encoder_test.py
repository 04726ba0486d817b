import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest

from adaland.agent.config import NetworkConfig
from adaland.agent.network import entity_encoder, entity_features

_CONFIG = NetworkConfig(entity_size=6)

# Compiled whole: each of their operations would be a program of its own.
_entity_types = jax.jit(entity_encoder.entity_types, static_argnums=1)
_nearest = jax.jit(entity_encoder._nearest)
_geometry = jax.jit(entity_features.geometry)
_object_types = jax.jit(entity_features.object_types, static_argnums=1)


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

    @jax.jit
    def same(entities, goals):
      entity_types = entity_encoder.entity_types(entities, _CONFIG)
      return entity_encoder._same(
        jnp.tile(entity_types, (2, 1)),
        entity_encoder.argument_types(goals, _CONFIG),
        jnp.float32,
      )

    np.testing.assert_array_equal(
      same(entities, goals),
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
    found = _entity_types(rows, config)
    np.testing.assert_array_equal(found, [[18 * 4 + 1, 5 * 4 + 1]])


class EntityEncoderTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    black_cube, purple_sphere, player = (2, 1), (3, 2), (5, 1)
    # Two rules of two sequences; each has a condition of two and two spawns.
    self.goal = np.array(
      # The second goal lacks an argument, as do rules.
      [[0, 2, *black_cube, *player], [0, 2, *purple_sphere, 0, 0]],
      np.int32,
    )
    self.rules = np.zeros((2, 2, 10), np.int32)
    self.rules[:, 0, 2:] = *black_cube, *player, *purple_sphere, 0, 0
    self.rules[0, 1, 2:] = *purple_sphere, 0, 0, *black_cube, *black_cube
    seen = [_entity(*kind) for kind in (black_cube, purple_sphere, player)]
    unseen = np.zeros(16, np.float32)
    self.entities = np.array(
      [[seen, [*seen[:2], unseen]], [[seen[1], unseen, seen[0]], [unseen] * 3]]
    )
    rng = np.random.default_rng(0)
    self.entities[..., 1:5] *= rng.uniform(
      0.5, 2, self.entities[..., 1:5].shape
    )
    self.embedded = rng.normal(size=(2, 4)).astype(np.float32)
    self.elements = rng.normal(size=(2, 2, 10, 3)).astype(np.float32)

  def test_equals_the_formula(self):
    observation = {
      "entities": self.entities,
      "goal": self.goal,
      "rules": self.rules,
    }
    encode = hk.without_apply_rng(
      hk.transform(lambda *args: entity_encoder.EntityEncoder(_CONFIG)(*args))
    )
    args = observation, self.embedded, self.elements
    rng = np.random.default_rng(1)
    params = jax.tree.map(
      lambda p: rng.normal(size=p.shape).astype(np.float32),
      jax.eval_shape(encode.init, jax.random.PRNGKey(0), *args),
    )
    sets, entities = map(np.asarray, jax.jit(encode.apply)(params, *args))
    self.params = {k.split("/")[-1]: v for k, v in params.items()}
    for row in range(2):
      for time in range(2):
        pooled, encoded = self.reference(row, time)
        np.testing.assert_allclose(
          sets[row, time], pooled, rtol=1e-3, atol=1e-3
        )
        np.testing.assert_allclose(
          entities[row, time], encoded, rtol=1e-3, atol=1e-3
        )

  def linear(self, x, name):
    layer = self.params[name]
    return x @ layer["w"].astype(np.float64) + layer.get("b", 0.0)

  def reference(self, row, time):
    """Encodes one set, one entity and one rule at a time."""
    entities = self.entities[row, time]
    seen = [self.kind(entity) for entity in entities]
    wanted = self.goal[row, 2:].reshape(2, 2).tolist()
    messages = []
    for rule, elements in zip(self.rules[row], self.elements[row], strict=True):
      kinds = rule[2:].reshape(4, 2).tolist()
      of_goal = [
        any(kind) and kind == other for kind in kinds for other in wanted
      ]
      hidden = np.concatenate([elements.ravel(), of_goal])
      hidden = np.maximum(self.linear(hidden, "rules"), 0)
      uses, makes = np.split(self.linear(hidden, "of_rules"), 2)
      messages += [(kind, uses) for kind in kinds[:2]]
      messages += [(kind, makes) for kind in kinds[2:]]
    features = np.concatenate(
      [
        entities,
        [[bool(kind) and kind == other for other in wanted] for kind in seen],
        _geometry(entities),
        _object_types(entities, _CONFIG),
      ],
      axis=1,
      dtype=np.float64,
    )
    h = self.linear(features, "in") + self.linear(self.embedded[row], "goal")
    for i, kind in enumerate(seen):
      h[i] += sum(message for other, message in messages if other == kind)
    h = self.shown(h, seen)
    pooled = self.pooled(h, seen, wanted, entities)
    h = self.linear(h, "hidden") + self.linear(pooled, "set")
    h = self.shown(h, seen)
    return self.pooled(h, seen, wanted, entities), h

  def kind(self, entity):
    """Returns shape and colour; None if it is not in view."""
    if not entity[0]:
      return None
    return [int(entity[6:11].argmax()) + 1, int(entity[11:].argmax()) + 1]

  def shown(self, h, seen):
    return np.maximum(h, 0) * [[kind is not None] for kind in seen]

  def pooled(self, h, seen, wanted, entities):
    parts = [h.max(axis=0)]
    for rows in (
      [i for i, kind in enumerate(seen) if kind],
      *(
        [i for i, kind in enumerate(seen) if kind and kind == other]
        for other in wanted
      ),
    ):
      parts.append(h[rows].mean(axis=0) if rows else np.zeros(6))
    [nearest] = np.asarray(_nearest(entities[None]))
    return np.concatenate([*parts, nearest @ h])


class PoolTest(absltest.TestCase):
  def test_numbers(self):
    h = np.array([[[1.0, 5.0], [3.0, 1.0], [0.0, 0.0]]], np.float32)
    visible = np.array([[[1.0], [1.0], [0.0]]], np.float32)
    of_goal = np.array([[[0.0, 0.0], [1.0, 0.0], [0.0, 0.0]]], np.float32)
    nearest = np.array([[0.75, 0.25, 0.0]], np.float32)
    np.testing.assert_array_equal(
      jax.jit(entity_encoder._pool)(h, visible, of_goal, nearest),
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

    def with_gradient(function):
      return jax.jit(lambda h: (function(h), jax.grad(function)(h)))(h)

    (sum_ours, gradient_ours), (sum_plain, gradient_plain) = map(
      with_gradient, (ours, plain)
    )
    np.testing.assert_allclose(sum_ours, sum_plain, rtol=1e-5)
    np.testing.assert_allclose(
      gradient_ours, gradient_plain, rtol=1e-4, atol=1e-5
    )

  def test_the_nearest_in_view_outweighs_the_rest(self):
    entities = np.stack(
      [_entity(2, 1), _entity(3, 3), np.zeros(16, np.float32)]
    )[None]
    entities[0, :2, 4] = 0.1, 0.2  # One metre and two.
    far, near = np.exp(-8.0), np.exp(-4.0)
    np.testing.assert_allclose(
      _nearest(entities),
      [[near / (near + far), far / (near + far), 0]],
      rtol=1e-5,
    )
    np.testing.assert_array_equal(
      _nearest(np.zeros([1, 3, 16], np.float32)), np.zeros([1, 3])
    )

  def test_maximum_of_any_number(self):
    rng = np.random.default_rng(0)
    sets = [
      rng.normal(size=(2, num, 3)).astype(np.float32) for num in (1, 2, 3, 5, 8)
    ]
    found = jax.jit(lambda sets: [entity_encoder._max(h) for h in sets])(sets)
    for h, largest in zip(sets, found, strict=True):
      np.testing.assert_array_equal(largest, h.max(axis=1))


if __name__ == "__main__":
  absltest.main()
