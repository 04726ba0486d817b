"""Tests of adaland.agent.replay.factory."""

import importlib.util
import sys

from absl.testing import absltest

from adaland.agent.replay import factory, in_memory
from adaland.agent.replay.config import ReplayConfig
from adaland.agent.replay.spec import UnrollSpec
from tests.agent.replay import examples


class FactoryTest(absltest.TestCase):
  def test_auto_takes_reverb_where_it_is_installed(self):
    installed = importlib.util.find_spec("reverb") is not None
    expected = "reverb" if installed else "memory"
    self.assertEqual(factory.resolve_kind("auto"), expected)
    self.assertEqual(factory.resolve_kind("memory"), "memory")

  def test_looking_for_reverb_does_not_import_tensorflow(self):
    factory.resolve_kind("auto")
    self.assertNotIn("reverb", sys.modules)

  def test_without_reverb_auto_is_memory_and_reverb_is_refused(self):
    with absltest.mock.patch.object(
      importlib.util, "find_spec", return_value=None
    ):
      self.assertEqual(factory.resolve_kind("auto"), "memory")
      with self.assertRaisesRegex(ValueError, "Reverb is not installed"):
        factory.resolve_kind("reverb")

  def test_a_new_run_starts_empty(self):
    config = ReplayConfig(kind="memory")
    spec = UnrollSpec.from_unroll(examples.unroll())
    missing = self.create_tempdir().full_path + "/none"
    replay = factory.make_replay(config, spec, checkpoint_dir=missing)
    self.assertIsInstance(replay, in_memory.InMemoryReplay)
    self.assertEqual(replay.info().size, 0)

  def test_a_store_draws_by_its_seed(self):
    config = ReplayConfig(kind="memory", batch_size=20)
    spec = UnrollSpec.from_unroll(examples.unroll())
    drawn = []
    for seed in (1, 1, 2):
      replay = factory.make_replay(config, spec, seed=seed)
      for number in range(10):
        replay.writer().insert(examples.unroll(number))
      drawn.append(replay.sampler().sample(timeout=1).params_version.tolist())
    self.assertEqual(drawn[0], drawn[1])
    self.assertNotEqual(drawn[0], drawn[2])


if __name__ == "__main__":
  absltest.main()
