"""Tests of memory_check: bytes counted by hand, and refusals."""

import types

import jax
from absl.testing import absltest, parameterized

from adaland.launch import errors
from adaland.launch.config import overrides, preset_configs
from adaland.launch.runtimes.single import jaxprs, memory_check
from tests.launch.runtimes.single import configs

_ADA = ("actor.num_actors=1", "actor.envs_per_actor=1024")


def _on_accelerator(limit):
  """Replaces the device by one whose memory has a known limit."""
  real = jax.local_devices()[0]
  fake = types.SimpleNamespace(memory_stats=lambda: {"bytes_limit": limit})
  fakes = [[fake], [real]]
  return absltest.mock.patch.object(
    memory_check.jax, "local_devices", side_effect=lambda: fakes.pop(0)
  )


class BytesNeededTest(parameterized.TestCase):
  def test_replay_takes_the_bytes_of_its_unrolls(self):
    few, many = (
      memory_check.bytes_needed(configs.tiny(f"replay.capacity={n}"), False)
      for n in (6, 60)
    )
    self.assertEqual(many["replay.capacity"], 10 * few["replay.capacity"])
    self.assertEqual(few["replay.capacity"] / 6, few["replay.batch_size"] / 2)

  def test_bytes_of_the_paper_s_agent(self):
    config = overrides.apply(preset_configs.get("ada_23m"), _ADA)
    needed = memory_check.bytes_needed(config, False)
    # Cached keys and values: 6 layers of 300 x 576 in bfloat16, three times
    # (acting, and two snapshots), and in the unrolls that end together.
    cache = 2 * 6 * 300 * 576 * 2
    # The buffer's 81 steps and the unrolls' 80 hold pictures of 96 x 72.
    frames = (81 + 80) * 96 * 72 * 3
    self.assertAlmostEqual(
      needed["actor.envs_per_actor"] / (1024 * (4 * cache + frames)),
      1.0,
      delta=0.02,
    )
    # Parameters, target, acting copy, and two moments of the optimiser.
    made = memory_check.builder.agent(config)
    params = jax.eval_shape(made.network.init, jax.random.PRNGKey(0))
    self.assertAlmostEqual(
      needed["network.d_model"] / (5 * jaxprs.array_bytes(params)),
      1.0,
      delta=0.02,
    )

  def test_pools_of_co_players_take_twice_their_parameters(self):
    self.assertNotIn(
      "coplayers.pool_size", memory_check.bytes_needed(configs.tiny(), False)
    )
    config = configs.tiny(
      "env.num_players=2",
      "tasks.two_player_probability=0.5",
      "coplayers.pool_size=5",
    )
    needed = memory_check.bytes_needed(config, False)
    made = memory_check.builder.agent(config)
    params = jax.eval_shape(made.network.init, jax.random.PRNGKey(0))
    self.assertEqual(
      needed["coplayers.pool_size"], 2 * 5 * jaxprs.array_bytes(params)
    )

  def test_workspaces_grow_with_the_batch(self):
    small, large = (
      memory_check.bytes_needed(configs.tiny(f"replay.batch_size={n}"), True)
      for n in (2, 6)
    )
    self.assertGreater(
      large["replay.batch_size"], 2 * small["replay.batch_size"]
    )


class CheckTest(parameterized.TestCase):
  def test_an_accelerators_memory(self):
    config = configs.tiny()
    total = sum(memory_check.bytes_needed(config, True).values())
    with _on_accelerator(total):
      memory_check.check(config)
    with (
      _on_accelerator(total - 1),
      self.assertRaisesRegex(
        errors.UserError,
        "^the run needs about .* GB of memory, and JAX has "
        r"\(device.memory_fraction\) .* GB: lower replay.batch_size \(2\), "
        "which takes .* GB$",
      ),
    ):
      memory_check.check(config)

  def test_a_processors_memory(self):
    memory_check.check(configs.tiny())
    pages = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 10**7}  # 41 GB.
    config = overrides.apply(
      preset_configs.get("ada_23m"), [*_ADA, "actor.envs_per_actor=4096"]
    )
    with (
      absltest.mock.patch.object(memory_check.os, "sysconf", pages.__getitem__),
      self.assertRaisesRegex(
        errors.UserError,
        r"there are 41.0 GB: lower actor.envs_per_actor \(4096\)",
      ),
    ):
      memory_check.check(config)

  def test_names_the_setting_that_takes_most(self):
    config = configs.tiny()
    with self.assertRaisesRegex(errors.UserError, r"replay.capacity \(6\)"):
      memory_check.refuse(
        config,
        {"replay.capacity": 6, "replay.batch_size": 5, "network.d_model": 1},
        11,
        "there are",
      )


if __name__ == "__main__":
  absltest.main()
