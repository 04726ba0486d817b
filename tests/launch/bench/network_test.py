"""Tests of network: FLOPs by hand, and the measurements."""

import functools

from absl.testing import absltest, parameterized

from adaland.launch import builder
from adaland.launch.bench import network
from adaland.launch.runtimes.single import jaxprs
from tests.launch.runtimes.single import configs


class FlopUseTest(absltest.TestCase):
  def test_is_a_share_of_products(self):
    # 2 GFLOP per step, 50 steps per second: 0.1 of the 0.4 TFLOP/s available.
    found = network.flop_use("acting", 2e9, 50.0, 4e11)
    self.assertEqual(
      found,
      {
        "acting_flop_per_step": 2e9,
        "acting_tflop_per_s": 0.1,
        "acting_product_tflop_per_s": 0.4,
        "acting_flop_ratio": 0.25,
      },
    )


class MeasuredTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    self.enter_context(
      absltest.mock.patch.object(
        network.hardware, "product_flop_per_s", return_value=1e12
      )
    )

  def test_acting(self):
    found = network.acting(configs.tiny(), 0.05)
    self.assertEqual(found["acting_num_envs_count"], 3)
    self.assertAlmostEqual(
      found["acting_steps_per_s"] * found["acting_ms"] / 1e3, 3
    )
    self.assertGreater(found["acting_flop_per_step"], 1000)
    self.assertAlmostEqual(
      found["acting_flop_ratio"],
      found["acting_flop_per_step"] * found["acting_steps_per_s"] / 1e12,
    )
    self.assertIn("acting_resident_peak_bytes", found)

  @parameterized.parameters("local", "device")
  def test_learning(self, launcher):
    with absltest.mock.patch.object(network.preflight, "prepare") as prepare:
      found = network.learner(configs.tiny(), 0.05, launcher)
    self.assertEqual(prepare.called, launcher == "device")
    # Two unrolls of eight steps.
    self.assertAlmostEqual(
      found["learner_steps_per_s"], 16 * found["learner_updates_per_s"]
    )
    self.assertAlmostEqual(
      found["learner_update_ms"] * found["learner_updates_per_s"], 1e3
    )
    self.assertGreater(found["learner_flop_ratio"], 0)

  def test_what_a_proxy_chose_costs_what_a_smaller_batch_does(self):
    def flop(config):
      made = builder.agent(config)
      functions = builder.learner(config, made.network)
      batch = builder.batch_template(config, builder.unroll_spec(config, made))
      key = network.jax.random.PRNGKey(0)
      state = network.jax.eval_shape(functions.init, key)
      update = functools.partial(functions.update, progress=1.0)
      return jaxprs.flops(update, state, batch)

    # As few operations as possible, because tracing an update takes seconds.
    plain = (
      "network.memory=none",
      "learner.muesli.model=false",
      "learner.muesli.cmpo=none",
      "learner.muesli.returns=vtrace",
    )
    proxy = configs.tiny(
      *plain, "learner.proxy.share=0.5", "learner.proxy.width=4"
    )
    chosen = network.chosen_flops(proxy)
    self.assertEqual(chosen, flop(configs.tiny(*plain, "replay.batch_size=1")))
    self.assertLess(chosen, flop(proxy))

  def test_a_learned_step_costs_more_than_an_acted_one(self):
    # Learning runs both networks and differentiates; acting encodes the goal
    # and rules again at each step.
    act = network.acting(configs.tiny(), 0.01)["acting_flop_per_step"]
    found = network.learner(configs.tiny(), 0.01, "local")
    self.assertBetween(found["learner_flop_per_step"] / act, 2, 60)


if __name__ == "__main__":
  absltest.main()
