"""Tests of skip: which steps are kept, and the formula in float64."""

import haiku as hk
import jax
import numpy as np
from absl.testing import absltest

from adaland.agent.config import NetworkConfig
from adaland.agent.memory import skip, transformer_xl

_CONFIG = NetworkConfig(
  memory="skip",
  d_model=4,
  num_heads=1,
  key_size=3,
  position_size=4,
  memory_length=2,
  skip_every=3,
)


def _reference(p, x, age):
  """Attends one query at a time to the kept steps of its episode."""
  q, k, v = np.split(x @ p["qkv.w"], 3, axis=-1)
  codes = transformer_xl.sinusoids(3, 4).astype(np.float64) @ p["relative.w"]
  out = []
  for i in range(len(x)):
    start = i - age[i]
    logits, seen = [], []
    for j in range(start, i + 1, 3):
      distance = age[i] // 3 - age[j] // 3
      if distance <= 2:
        seen.append(j)
        logits.append(
          (q[i] + p["f.content_bias"][0]) @ k[j]
          + (q[i] + p["f.position_bias"][0]) @ codes[distance]
        )
    weights = np.exp(np.array(logits) / np.sqrt(3))
    out.append((weights / weights.sum()) @ v[seen] @ p["out.w"])
  return np.array(out)


class SkipAttentionTest(absltest.TestCase):
  def test_equals_the_formula(self):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1, 17, 4)).astype(np.float32)
    age = np.r_[np.arange(12), np.arange(5)].astype(np.int32)[None]
    transformed = hk.without_apply_rng(
      hk.transform(
        lambda x: skip.SkipAttention(_CONFIG, "f").unroll(x, age, None)
      )
    )
    shapes = jax.eval_shape(transformed.init, jax.random.PRNGKey(0), x)
    params = jax.tree.map(
      lambda p: rng.normal(size=p.shape).astype(np.float32), shapes
    )
    p = {
      f"{module.split('/')[-1]}.{name}": value.astype(np.float64)
      for module, leaves in params.items()
      for name, value in leaves.items()
    }
    actual, state = jax.tree.map(
      np.asarray, jax.jit(transformed.apply)(params, x)
    )
    expected = _reference(p, x[0].astype(np.float64), age[0])
    np.testing.assert_allclose(actual[0], expected, rtol=1e-4, atol=1e-4)
    # The last episode has kept its steps of age 0 and 3, in slots 0 and 1.
    keys = np.split(x[0] @ p["qkv.w"], 3, axis=-1)[1]
    np.testing.assert_allclose(
      state["keys"][0, 0, :2], keys[[12, 15]], rtol=1e-4, atol=1e-5
    )

  def test_48_trials_fit_into_a_state_of_a_quarter(self):
    # 48 trials of 4 s, 7.5 steps per second.
    steps = 48 * 30
    config = NetworkConfig(memory="skip", memory_length=steps // 4)
    shapes = jax.eval_shape(lambda: skip.SkipAttention.initial_state(config, 1))
    self.assertEqual(shapes["keys"].shape, (1, 4, 361, 16))


if __name__ == "__main__":
  absltest.main()
