"""Every kind of file that is read: whole ones, damaged ones, reading them.

A reader may refuse what it is given with a ValueError of one short line, or
take it; what it takes must come back the same when it is written and read once
more.
"""

import contextlib
import dataclasses
import functools
import io
import json
import pathlib
import random
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from agent import checkpoint, checkpoint_json
from agent.replay import config as replay_config
from agent.replay import in_memory
from agent.replay import spec as spec_lib
from curriculum import base, factory
from envs import json_checks, probes, sampler, task_json
from envs import task as task_lib
from launch import config as config_lib
from launch import (
  config_json,
  demo,
  errors,
  overrides,
  presets,
  rundir,
  status,
)
from launch.roles import status_file
from tests.agent.replay import examples
from tests.fuzz import mutate


class Format(Protocol):
  """A kind of file."""

  def damage(self, rng: random.Random) -> bytes:
    """Returns a whole file, damaged."""
    ...

  def read(self, data: bytes) -> Any:
    """Reads it; raises only ValueError."""
    ...

  def check(self, value: Any) -> None:
    """Raises AssertionError if what was read is not what it seems."""
    ...


def _same(one: Any, other: Any) -> None:
  if one != other:
    raise AssertionError(f"came back as {other!r}, was {one!r}")


class Task:
  """Task files."""

  def __init__(self):
    folder = pathlib.Path(probes.__file__).parent / "probes"
    self._whole = [path.read_text() for path in sorted(folder.glob("*.json"))]
    draw = sampler.TaskSampler(presets.smoke().tasks).task
    written = [task_json.to_json(draw(i)) for i in range(10)]
    written[0]["world"] = {"heights": [[0, 1, 0], [0, 0, 2], [1, 1, 1]]}
    written[1]["players"] *= 2
    written[1]["hide"] = {
      f"player{n}": {"rules": [], "objects": ["black cube"], "predicates": []}
      for n in (1, 2)
    }
    self._whole += [json.dumps(task) for task in written]

  def damage(self, rng):
    return mutate.json_text(rng.choice(self._whole), rng)

  def read(self, data):
    return task_json.loads(data, "task.json")

  def check(self, value):
    text = json.dumps(task_json.to_json(value))
    _same(value, task_json.loads(text.encode()))


class Config:
  """A run's config.json; and, inside it, the file of `train --config`."""

  def __init__(self):
    self._whole = [
      json.dumps(
        {"format": rundir.FORMAT, "config": config_json.to_json(make())}
      )
      for make in presets.PRESETS.values()
    ]

  def damage(self, rng):
    return mutate.json_text(rng.choice(self._whole), rng)

  def read(self, data):
    with errors.user_input("config.json"):
      content = rundir.config_of(json_checks.parse(data))
      return config_json.from_json(config_lib.ExperimentConfig, content)

  def check(self, value):
    text = json.dumps(config_json.to_json(value), allow_nan=False)
    again = config_json.from_json(type(value), json.loads(text))
    _same(value, again)


class Setting:
  """What follows --set."""

  def __init__(self):
    self._config = presets.smoke()
    self._whole = [
      f"{path}={json.dumps(value)}"
      for path, value in _leaves(config_json.to_json(self._config))
    ]

  def damage(self, rng):
    path, _, value = rng.choice(self._whole).partition("=")
    if rng.random() < 0.5:
      value = mutate.json_text(value, rng).decode("utf-8", "replace")
    else:
      path = mutate.text(path, rng)
    return f"{path}={value}".encode("utf-8", "replace")

  def read(self, data):
    with errors.user_input("--set"):
      text = data.decode("utf-8", "surrogateescape")
      return overrides.apply(self._config, [text])

  check = Config.check


def _leaves(value: Any, path: str = "") -> list[tuple[str, Any]]:
  if not isinstance(value, dict):
    return [(path, value)]
  return [
    leaf
    for key, item in value.items()
    for leaf in _leaves(item, f"{path}.{key}" if path else key)
  ]


class Checkpoint:
  """A checkpoint's run.json, and the curriculum's state in it."""

  def __init__(self):
    self._curriculum = _curriculum()
    for _ in range(40):
      for task in self._curriculum.next_tasks(2):
        rewards = np.linspace(0, task.key % 3, task.task.trials)
        record = base.EpisodeRecord(
          task.key, task.learn, rewards.astype(np.float32), 1.0, 2.0, 3.0
        )
        self._curriculum.report(record)
    run = {
      "desk": {
        "curriculum": self._curriculum.state_dict(),
        "env_steps": 1234,
        "episodes": 80,
      },
      "seconds": 61.5,
      "has_batch": False,
      "arrays": [np.arange(6.0).reshape(2, 3), np.zeros(0), np.uint64(7)],
    }
    leaves = [["['w']", [3, 2], "float32"], ["['n']", [], "int32"]]
    self._whole = checkpoint_json.encode(3, leaves, run)

  def damage(self, rng):
    return mutate.json_text(self._whole, rng)

  def read(self, data):
    with errors.user_input("run.json"), errors.of_another_form("run.json"):
      leaves, run = checkpoint_json.decode(data)
      _curriculum().load_state_dict(run["desk"]["curriculum"])
      return leaves, run

  def check(self, value):
    text = checkpoint_json.encode(3, *value)
    again = checkpoint_json.decode(text.encode())
    _same(text, checkpoint_json.encode(3, *again))


def _curriculum() -> Any:
  settings = factory.CurriculumConfig(kind="plr")
  return factory.make_curriculum(settings, lambda index: _probe(), 0)


@functools.cache
def _probe() -> task_lib.Task:
  return probes.load(probes.names()[0])


class Status:
  """A run's status.json, as `launch.status` shows it."""

  def __init__(self):
    made = tempfile.TemporaryDirectory()
    self._made = made  # Goes when this does.
    self._run = rundir.RunDir(made.name)
    self._run.begin(presets.smoke()).close()
    role = status_file.RoleStatus(
      "actor 1", "actor", 77, "host", 210.5, 2, 1.5, {"steps_per_s": 9.0}
    )
    counters = {"env_steps": 5, "episodes": 2, "updates": 3, "seconds": 1.5}
    row = {"env_steps_per_s": 12.5, "reward/episode": 0.0, "loss": 0.5}
    status_file.write(self._run, "ray", "running", counters, row, [role])
    self._path = self._run.path / status_file.NAME
    self._whole = self._path.read_text()

  def damage(self, rng):
    return mutate.json_text(self._whole, rng)

  def read(self, data):
    self._path.write_bytes(data)
    args = status.make_parser().parse_args([str(self._run.path)])
    with contextlib.redirect_stdout(io.StringIO()) as out:
      status.run(args)
    return out.getvalue()

  def check(self, value):
    value.encode()  # Can be shown.
    _same(all(map(str.isprintable, value.splitlines())), True)


class _Archive:
  """What is a zip file of arrays, and how one is damaged."""

  def __init__(self, whole: list[bytes]):
    self._whole = whole

  def damage(self, rng: random.Random) -> bytes:
    data = rng.choice(self._whole)
    if rng.random() < 0.3:
      return mutate.raw(data, rng)
    # Inside, so that the zip file's own checks don't refuse all of it.
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
      warnings.simplefilter("ignore")  # Of a name that is there twice.
      for member, inner in members:
        info = zipfile.ZipInfo(member)
        info.compress_type = kind
        archive.writestr(info, inner)
    whole = out.getvalue()
    return mutate.raw(whole, rng) if rng.random() < 0.1 else whole


def _array(rng: random.Random) -> bytes:
  """Returns another array's file."""
  dtype = rng.choice(("i1", "u8", "f2", "f8", "U3", "S2", "?", "c8", "M8[s]"))
  shape = rng.choice(((), (0,), (1,), (3,), (15, 6), (0, 6), (2, 3, 4)))
  array = np.zeros(shape, np.dtype(dtype))
  if array.dtype.kind == "f" and array.size:
    array.reshape(-1)[0] = rng.choice((np.nan, np.inf, -1.0, 1e4))
  out = io.BytesIO()
  np.save(out, array)
  return out.getvalue()


def _text_within(content: bytes, rng: random.Random) -> bytes:
  """Changes the text that an array holds, if it holds one."""
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
  """Has an array's file say another type or shape than it holds."""
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
  """Demonstrations."""

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
    _same((value.task, value.seed), (again.task, again.seed))
    np.testing.assert_array_equal(value.actions, again.actions)
    with np.errstate(over="ignore"):
      rewards = value.rewards.astype(np.float32)
    np.testing.assert_array_equal(rewards, again.rewards)


class Replay(_Archive):
  """The in-memory store's checkpoint."""

  def __init__(self):
    store = self._store()
    for number in range(6):
      store.insert(examples.unroll(number))
    with tempfile.TemporaryDirectory() as folder:
      store.checkpoint(folder)
      whole = [path.read_bytes() for path in pathlib.Path(folder).iterdir()]
    super().__init__(whole)

  def _store(self) -> in_memory.InMemoryReplay:
    settings = replay_config.ReplayConfig(
      kind="memory", capacity=4, batch_size=2, insert_timeout=0.1
    )
    return in_memory.InMemoryReplay(settings, _spec())

  def read(self, data):
    store = self._store()
    store.read(io.BytesIO(data), "replay.npz")
    return store

  def check(self, value):
    if value.size():
      value.sample(timeout=1.0)
    value.insert(examples.unroll(1))


@functools.cache
def _spec() -> spec_lib.UnrollSpec:
  return spec_lib.UnrollSpec.from_unroll(examples.unroll())


class Unroll:
  """Unrolls as bytes, between actors and the in-memory store."""

  def __init__(self):
    self._whole = [_spec().encode(examples.unroll(n), n) for n in range(3)]

  def damage(self, rng):
    return mutate.raw(rng.choice(self._whole), rng)

  def read(self, data):
    return _spec().decode(data)[0]

  def check(self, value):
    stacked = _spec().stack([value, value])
    _same(len(stacked.reward), 2)


class Arrays:
  """The train state's arrays as Orbax wrote them: one of its files."""

  def __init__(self):
    self._state = {"w": np.ones((3, 2), np.float32), "n": np.int32(4)}
    made = tempfile.TemporaryDirectory()
    self._made = made  # Goes when this does.
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
      _same((array.shape, array.dtype), (value[name].shape, value[name].dtype))


FORMATS: dict[str, Callable[[], Format]] = {
  "task": Task,
  "demo": Demo,
  "config": Config,
  "setting": Setting,
  "checkpoint": Checkpoint,
  "status": Status,
  "arrays": Arrays,
  "replay": Replay,
  "unroll": Unroll,
}
