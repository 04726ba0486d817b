"""Tests of saved, through a store and its checkpoint."""

import io
import json
import os
import zipfile

import numpy as np
from absl.testing import absltest, parameterized

from adaland.agent.replay import in_memory
from adaland.agent.replay.config import ReplayConfig
from adaland.agent.replay.spec import UnrollSpec
from tests.agent.replay import examples

# A generator's state with a number out of range.
_NEGATIVE = {
  "bit_generator": "PCG64",
  "state": {"state": 1, "inc": 1},
  "has_uint32": 0,
  "uinteger": -1,
}


def _store():
  config = ReplayConfig(kind="memory", capacity=4, batch_size=2)
  spec = UnrollSpec.from_unroll(examples.unroll())
  return in_memory.InMemoryReplay(config, spec)


class SavedTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    store = _store()
    for number in range(3):
      store.insert(examples.unroll(number))
    folder = self.create_tempdir().full_path
    store.checkpoint(folder)
    with np.load(os.path.join(folder, "replay.npz")) as file:
      self.good = dict(file)

  def read(self, store, **changes):
    file = io.BytesIO()
    arrays = {**self.good, **changes}
    np.savez(file, **{k: v for k, v in arrays.items() if v is not None})
    file.seek(0)
    store.read(file, "it")

  @parameterized.parameters(
    ("column_0", None, "no 'column_0'"),
    ("counters", None, "no 'counters'"),
    ("column_1", None, "no 'column_1'"),
    ("column_0", np.ones(2), "'column_0' is"),
    ("column_0", np.array(1), "'column_0' is"),
    ("column_1", np.ones(2), "'column_1' is"),
    ("counters", np.array([1.0, 2.0]), "'counters' is float64"),
    ("counters", np.array([2, 0]), "counters are inconsistent"),
    ("counters", np.array([3, -1]), "counters are inconsistent"),
    ("generator", np.array("{}"), "generator: ValueError"),
    ("generator", np.array('{"bit_generator": "PCG64"}'), "generator: KeyErr"),
    ("generator", np.array("3"), "generator: TypeError"),
    ("generator", np.array(json.dumps(_NEGATIVE)), "generator: OverflowError"),
    ("generator", np.array("[" * 100_000), "generator: Recursion"),
    ("generator", np.zeros(3), "is not one text"),
  )
  def test_a_broken_one_is_refused_and_nothing_of_it_taken(
    self, name, value, message
  ):
    store = _store()
    store.insert(examples.unroll(9))
    with self.assertRaisesRegex(ValueError, f"it is broken: .*{message}"):
      self.read(store, **{name: value})
    self.assertEqual(store.info().size, 1)
    self.assertEqual(set(store.sample(1.0).params_version), {9})

  def test_other_content_is_refused(self):
    file = io.BytesIO()
    np.savez(file, **self.good)
    with zipfile.ZipFile(file, "a") as archive:
      archive.writestr("notes.txt", "text")
    file.seek(0)
    with self.assertRaisesRegex(ValueError, "it is broken: it holds more than"):
      _store().read(file, "it")

  def test_columns_that_are_no_list_are_refused(self):
    with self.assertRaisesRegex(ValueError, "fields of it can't be read"):
      self.read(_store(), columns=np.array("[1]"))

  def test_a_good_one_is_taken(self):
    store = _store()
    self.read(store)
    self.assertEqual(store.info().size, 3)


if __name__ == "__main__":
  absltest.main()
