"""Array formats, from demonstrations to the arrays of checkpoints."""

import dataclasses
import functools
import io
import json
import pathlib
import tempfile

import numpy as np

from adaland.agent.checkpoint import checkpoint, weights
from adaland.agent.replay import in_memory
from adaland.agent.replay.config import ReplayConfig
from adaland.agent.replay.spec import UnrollSpec
from adaland.envs import constants
from adaland.envs.sampling.config import SamplerConfig
from adaland.envs.tasks import json_files, probes, xland_minigrid
from adaland.launch import errors
from adaland.launch.evaluation import demo
from adaland.launch.tasking import testset, witness
from tests.agent.replay import examples
from tests.fuzz import archives, checks, mutate


class Demo(archives.Archive):
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


class TestSet(archives.Archive):
  """Files of test sets."""

  def __init__(self):
    found = []
    for steps in (15, 22, 30):
      actions = np.tile([1, 2, 0, 1, 1, 0], (steps, 2, 1)).astype(np.int8)
      found.append(witness.Witness(steps / 15, steps, actions))
    alone = [x._replace(actions=x.actions[:, :1]) for x in found]
    whole = []
    for witnesses, probability in ((alone, 0.0), (found, 1.0)):
      config = SamplerConfig(
        trial_seconds=(2, 4), two_player_probability=probability
      )
      made = testset.TestSet(config, "0" * 64, witnesses)
      whole.append(testset.encode(made))
    super().__init__(whole)

  def read(self, data):
    with errors.user_input("set.npz"):
      return testset.decode(data)

  def check(self, value):
    again = testset.decode(testset.encode(value))
    checks.same(value[:2], again[:2])
    for one, other in zip(value.witnesses, again.witnesses, strict=True):
      checks.same(one[:2], other[:2])
      np.testing.assert_array_equal(one.actions, other.actions)
      seconds = len(one.actions) * constants.STEP_SECONDS
      checks.same(0 <= one.reward <= seconds + 1e-3, True)
      checks.same(0 <= one.seed < 2**63, True)
      checks.same(2 <= seconds + 0.1 <= constants.MAX_TRIAL_SECONDS + 0.2, True)
      checks.same(one.actions.shape[1:], (value.num_players, 6))
      checks.same((one.actions >= 0).all(), True)
      checks.same((one.actions < constants.ACTION_SIZES).all(), True)
    checks.same(np.isfinite(list(testset.summary(value).values())).all(), True)


class Rulesets(archives.Archive):
  """Files of XLand-MiniGrid rulesets."""

  def __init__(self):
    made = tempfile.TemporaryDirectory()
    self._made = made  # Deleted with this object.
    self._path = pathlib.Path(made.name, "rulesets.npz")
    goals = [[1, 3, 5, 0, 0], [4, 3, 5, 7, 7], [8, 4, 1, 5, 2]]
    rules = [[[1, 4, 4, 3, 5, 0, 0], [3, 5, 7, 3, 5, 1, 7], 7 * [0]]] * 3
    tiles = [[[4, 4], [5, 7], [5, 7], [0, 0]]] * 3
    whole = []
    for save, dtype in ((np.savez, "u1"), (np.savez_compressed, "i4")):
      goal, rule, tile = (np.array(x, dtype) for x in (goals, rules, tiles))
      out = io.BytesIO()
      save(out, goals=goal, rules=rule, init_tiles=tile)
      whole.append(out.getvalue())
    super().__init__(whole)

  def read(self, data):
    self._path.write_bytes(data)
    return xland_minigrid.load(str(self._path))

  def check(self, value):
    rows = [value[name] for name in ("goals", "rules", "init_tiles")]
    checks.same(len({len(x) for x in rows}), 1)
    checks.same(len(rows[0]) > 0, True)
    for row in zip(*rows, strict=True):
      try:
        task, _ = xland_minigrid.make_task(*row)
      except ValueError as error:
        checks.same(errors.one_line(str(error)), str(error))
        continue
      text = json.dumps(json_files.to_json(task))
      checks.same(task, json_files.loads(text.encode()))


class Replay(archives.Archive):
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
  """Orbax files with the arrays of a train state, one of them damaged."""

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
  """Safetensors files with an agent's parameters."""

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
