"""Formats of arrays: demonstrations, replay, unrolls, a checkpoint's arrays."""

import dataclasses
import functools
import io
import pathlib
import random
import tempfile
import warnings
import zipfile

import numpy as np

from adaland.agent.checkpoint import checkpoint, weights
from adaland.agent.replay import in_memory
from adaland.agent.replay.config import ReplayConfig
from adaland.agent.replay.spec import UnrollSpec
from adaland.envs.tasks import probes
from adaland.launch import errors
from adaland.launch.evaluation import demo
from tests.agent.replay import examples
from tests.fuzz import checks, mutate


class _Archive:
  """A format that is a zip file of arrays.

  Args:
    whole: Undamaged files.
  """

  def __init__(self, whole: list[bytes]):
    self._whole = whole

  def damage(self, rng: random.Random) -> bytes:
    data = rng.choice(self._whole)
    if rng.random() < 0.3:
      return mutate.raw(data, rng)
    # Inside, as the checks of the zip format would refuse the rest.
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
      members = [(n, archive.read(n)) for n in archive.namelist()]
    i = rng.randrange(len(members))
    name, content = members[i]
    way = rng.randrange(8)
    if way == 0:
      del members[i]
    elif way == 1:
      members.append((name, rng.choice(members)[1]))
    elif way == 2:
      members[i] = rng.choice(members)[0], content
    elif way == 3:
      members[i] = name, _array(rng)
    elif way == 4:
      members[i] = name, _text_within(content, rng)
    elif way == 5:
      members[i] = name, _header(content, rng)
    else:
      members[i] = name, mutate.raw(content, rng)
    kind = rng.choice(
      20 * [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]
      + [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2]
    )
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w", kind) as archive:
      warnings.simplefilter("ignore")  # About duplicate names.
      for member, inner in members:
        info = zipfile.ZipInfo(member)
        info.compress_type = kind
        archive.writestr(info, inner)
    whole = out.getvalue()
    return mutate.raw(whole, rng) if rng.random() < 0.1 else whole


def _array(rng: random.Random) -> bytes:
  """Returns the file of another array."""
  dtype = rng.choice(("i1", "u8", "f2", "f8", "U3", "S2", "?", "c8", "M8[s]"))
  shape = rng.choice(((), (0,), (1,), (3,), (15, 6), (0, 6), (2, 3, 4)))
  array = np.zeros(shape, np.dtype(dtype))
  if array.dtype.kind == "f" and array.size:
    array.reshape(-1)[0] = rng.choice((np.nan, np.inf, -1.0, 1e4))
  out = io.BytesIO()
  np.save(out, array)
  return out.getvalue()


def _text_within(content: bytes, rng: random.Random) -> bytes:
  """Changes an array's content as text."""
  array = np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
  text = str(array)
  try:
    changed = mutate.json_text(text, rng).decode("utf-8", "replace")
  except ValueError:
    changed = mutate.text(text[:200], rng)
  out = io.BytesIO()
  # NumPy can't hold half a surrogate pair.
  np.save(out, np.array(changed.encode("utf-8", "replace").decode()))
  return out.getvalue()


def _header(content: bytes, rng: random.Random) -> bytes:
  """Changes type or shape in an array file's header."""
  end = content.index(b"\n") + 1
  descr = rng.choice(
    (
      "'<f4'",
      "'|O'",
      "'|V999999999'",
      "'<U99999999'",
      "[('a', '<i4')]",
      "'|V0'",
    )
  )
  shape = rng.choice(
    (
      "(99999999999,)",
      f"({2**62}, 8)",
      "(-1,)",
      "(0, 6)",
      "(1e9,)",
      "()",
      "(10**5,)",
      f"({'(' * 50}{')' * 50},)",
      "(1, 2",
    )
  )
  text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n"
  if rng.random() < 0.5:
    text = mutate.text(content[10:end].decode("latin-1"), rng)
  header = text.encode("latin-1", "replace")
  size = len(header).to_bytes(2, "little")
  return content[:8] + size + header + content[end:]


class Demo(_Archive):
  """Files of demonstrations."""

  def __init__(self):
    whole = []
    for name in probes.names()[:3]:
      task = dataclasses.replace(probes.load(name), trials=2, trial_seconds=2.0)
      actions = np.tile([1, 2, 0, 1, 1, 0], (2 * task.trial_steps, 1))
      whole.append(demo.encode(demo.Demo(task, 7, actions, np.ones(2))))
    super().__init__(whole)

  def read(self, data):
    with errors.user_input("--demo=demo.npz"):
      return demo.decode(data)

  def check(self, value):
    again = demo.decode(demo.encode(value))
    checks.same((value.task, value.seed), (again.task, again.seed))
    np.testing.assert_array_equal(value.actions, again.actions)
    with np.errstate(over="ignore"):
      rewards = value.rewards.astype(np.float32)
    np.testing.assert_array_equal(rewards, again.rewards)


class Replay(_Archive):
  """Checkpoints of the in-memory store."""

  def __init__(self):
    store = self._store()
    for number in range(6):
      store.insert(examples.unroll(number))
    with tempfile.TemporaryDirectory() as folder:
      store.checkpoint(folder)
      whole = [path.read_bytes() for path in pathlib.Path(folder).iterdir()]
    super().__init__(whole)

  def _store(self) -> in_memory.InMemoryReplay:
    settings = ReplayConfig(
      kind="memory", capacity=4, batch_size=2, insert_timeout=0.1
    )
    return in_memory.InMemoryReplay(settings, _spec())

  def read(self, data):
    store = self._store()
    store.read(io.BytesIO(data), "replay.npz")
    return store

  def check(self, value):
    if value.info().size:
      value.sample(timeout=1.0)
    value.insert(examples.unroll(1))


@functools.cache
def _spec() -> UnrollSpec:
  return UnrollSpec.from_unroll(examples.unroll())


class Unroll:
  """Unrolls as bytes, on their way from actors to the in-memory store."""

  def __init__(self):
    self._whole = [_spec().encode(examples.unroll(n)) for n in range(3)]

  def damage(self, rng):
    return mutate.raw(rng.choice(self._whole), rng)

  def read(self, data):
    return _spec().decode(data)

  def check(self, value):
    stacked = _spec().stack([value, value])
    checks.same(len(stacked.reward), 2)


class Arrays:
  """Files of Orbax with the arrays of a train state, one of them damaged."""

  def __init__(self):
    self._state = {"w": np.ones((3, 2), np.float32), "n": np.int32(4)}
    made = tempfile.TemporaryDirectory()
    self._made = made  # Deleted with this object.
    self._folder = pathlib.Path(made.name)
    checkpoint.save(self._folder, 1, self._state, {})
    paths = sorted((self._folder / "1" / "arrays").rglob("*"))
    self._whole = {p: p.read_bytes() for p in paths if p.is_file()}

  def damage(self, rng):
    number = rng.randrange(len(self._whole))
    content = list(self._whole.values())[number]
    if rng.random() < 0.5 and content.startswith(b"{"):
      return bytes([number]) + mutate.json_text(content.decode(), rng)
    return bytes([number]) + mutate.raw(content, rng)

  def read(self, data):
    path = list(self._whole)[data[0]]
    path.write_bytes(data[1:])
    try:
      return checkpoint.restore(self._folder, self._state)[0]
    finally:
      path.write_bytes(self._whole[path])

  def check(self, value):
    for name, array in self._state.items():
      checks.same(
        (array.shape, array.dtype), (value[name].shape, value[name].dtype)
      )


class Weights:
  """Files of safetensors with an agent's parameters."""

  def __init__(self):
    self._template = {
      "net/~/linear": {
        "w": np.arange(6, dtype=np.float32).reshape(3, 2),
        "b": np.ones(2, np.float32),
      }
    }
    self._whole = weights.encode(self._template)

  def damage(self, rng):
    if rng.random() < 0.5:
      return mutate.raw(self._whole, rng)
    size = int.from_bytes(self._whole[:8], "little")
    header = self._whole[8 : 8 + size].decode()
    changed = mutate.json_text(header, rng)
    if rng.random() < 0.8:
      size = len(changed)
    return size.to_bytes(8, "little") + changed + self._whole[8 + size :]

  def read(self, data):
    return weights.decode(data, self._template)

  def check(self, value):
    again = weights.decode(weights.encode(value), self._template)
    for name, array in value["net/~/linear"].items():
      np.testing.assert_array_equal(array, again["net/~/linear"][name])
