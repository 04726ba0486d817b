"""Tests of adaland.launch.roles.unroll_store."""

import os
import threading
import time
import types
from typing import Any

import numpy as np
from absl.testing import absltest

from adaland.agent.replay import in_memory
from adaland.agent.replay.spec import UnrollSpec
from adaland.launch import errors
from adaland.launch.config import overrides, preset_configs
from adaland.launch.roles import role, unroll_store
from tests.agent.replay import examples
from tests.launch.roles import fakes

_SPEC = UnrollSpec.from_unroll(examples.unroll(0))


class UnrollStoreTest(absltest.TestCase):
  def make(self, replay=None, folder=None):
    config = overrides.apply(
      preset_configs.smoke(),
      [
        *("replay.kind=auto", "replay.sampling=queue"),
        *("replay.samples_per_insert=null", "replay.batch_size=2"),
        *("replay.capacity=2", "replay.min_size=1"),
      ],
    )
    folder = folder or self.create_tempdir().full_path
    nobody = fakes.Peer(None)
    return unroll_store.UnrollStore(
      role.Setup(config, folder), nobody, replay and fakes.Peer(replay)
    )

  def test_its_own_store_takes_unrolls_until_it_is_full(self):
    made = self.make()
    data = [_SPEC.encode(examples.unroll(number)) for number in (1, 2, 3)]
    self.assertFalse(made.insert_encoded(data[0]))  # There is no store yet.
    self.assertEqual(made.info(), {})
    sampler = made.sampler(_SPEC, threading.Event())
    assert sampler is not None
    start = time.monotonic()
    self.assertEqual(
      [made.insert_encoded(x) for x in data], [True, True, False]
    )
    self.assertLess(time.monotonic() - start, 5.0)
    self.assertEqual(made.info()["size"], 2)
    batch = sampler.sample(1.0)
    np.testing.assert_array_equal(np.shape(batch.reward)[0], 2)
    sampler.close()

  def test_an_own_store_starts_from_its_checkpoint(self):
    folder = self.create_tempdir().full_path
    made = self.make(folder=folder)
    made.save()  # There is no store yet.
    made.sampler(_SPEC, threading.Event())
    for number in (1, 2):
      made.insert_encoded(_SPEC.encode(examples.unroll(number)))
    made.save()
    self.assertEqual(os.listdir(folder), ["replay"])
    again = self.make(folder=folder)
    sampler = again.sampler(_SPEC, threading.Event())
    assert sampler is not None
    self.assertEqual(sampler.sample(1.0).params_version.tolist(), [1, 2])

  def test_an_own_store_that_can_t_be_written_is_an_error(self):
    made = self.make()
    made.sampler(_SPEC, threading.Event())
    with (
      absltest.mock.patch.object(
        in_memory.InMemoryReplay, "checkpoint", side_effect=OSError(28, "Full")
      ),
      self.assertRaisesRegex(errors.RunError, "cannot write .*/replay: Full"),
    ):
      made.save()

  def test_a_server_writes_its_own(self):
    # The first has no server yet, and is replaced meanwhile.
    answers = ["", None]
    replay: Any = types.SimpleNamespace(checkpoint=answers.pop)
    self.make(replay).save()
    self.assertEmpty(answers)
    replay = types.SimpleNamespace(checkpoint=lambda: "No space left")
    with self.assertRaisesRegex(
      errors.RunError, f"{os.sep}replay: No space left"
    ):
      self.make(replay).save()


if __name__ == "__main__":
  absltest.main()
