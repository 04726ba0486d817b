import haiku as hk
import jax
import numpy as np
from absl.testing import absltest

from adaland.agent.config import NetworkConfig
from adaland.agent.network import recall

_CONFIG = NetworkConfig(num_heads=2, key_size=3)


class RecallTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    rng = np.random.default_rng(0)
    self.x = rng.normal(size=(2, 4)).astype(np.float32)
    self.entities = rng.normal(size=(2, 3, 5)).astype(np.float32)
    self.visible = np.array([[1, 0, 1], [0, 0, 0]], np.float32)
    look = hk.without_apply_rng(
      hk.transform(lambda *args: recall.Recall(_CONFIG)(*args))
    )
    self.params = look.init(
      jax.random.PRNGKey(0), self.x, self.entities, self.visible
    )
    apply = jax.jit(look.apply)
    self.apply = lambda *args: np.asarray(apply(self.params, *args))

  def test_formula(self):
    """Compares with attention in float64, one head and row at a time."""
    weights = {
      name.split("/")[-1]: np.asarray(module["w"], np.float64)
      for name, module in self.params.items()
    }
    answer = np.zeros((2, 6))
    for row in range(2):
      seen = np.flatnonzero(self.visible[row])
      if not seen.size:
        continue
      for head in range(2):
        part = slice(3 * head, 3 * head + 3)
        query = self.x[row] @ weights["query"][:, part]
        keys = self.entities[row, seen] @ weights["keys"][:, part]
        values = self.entities[row, seen] @ weights["values"][:, part]
        scores = np.exp(keys @ query / np.sqrt(3))
        answer[row, part] = scores / scores.sum() @ values
    np.testing.assert_allclose(
      self.apply(self.x, self.entities, self.visible),
      self.x + answer @ weights["out"],
      atol=1e-5,
    )

  def test_what_is_not_in_view_does_not_matter(self):
    entities = self.entities.copy()
    entities[0, 1] += 100
    entities[1] += 100
    np.testing.assert_array_equal(
      self.apply(self.x, entities, self.visible),
      self.apply(self.x, self.entities, self.visible),
    )
    np.testing.assert_array_equal(
      self.apply(self.x, self.entities, self.visible)[1], self.x[1]
    )


if __name__ == "__main__":
  absltest.main()
