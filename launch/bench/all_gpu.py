"""Speed of all parts on one accelerator, each in a separate process."""

import dataclasses
import os
import time
from collections.abc import Mapping, Sequence

from adaland.envs.physics import backends
from adaland.launch import errors, output
from adaland.launch.bench import train
from adaland.launch.bench.lib import subprocess_json
from adaland.launch.config import overrides, preset_configs

# Settings that --launcher=device needs.
_TRAINING = (
  "actor.num_actors=1",
  "replay.kind=memory",
  "replay.error_buffer=null",
)
# The smallest sizes of all parts, on Warp's and JAX's CPU devices.
_TINY = (
  "env.device=cpu",
  "env.num_slots=6",
  "actor.unroll_length=8",
  "replay.capacity=8",
  "replay.min_size=2",
  "replay.batch_size=2",
)
# A process that only compiles kernels leaves the memory to other processes.
_SMALL = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
# Parts that run without physics, while its kernels are compiled.
_NETWORK_PARTS = ("product", "acting", "learner")
_LEAST_SECONDS = 5.0  # No part starts with less time left.


@dataclasses.dataclass(frozen=True)
class Preset:
  """Sizes of a preset on one large accelerator.

  Attributes:
    name: Name of the preset.
    num_envs: Number of environments in training: enough to keep the device
      busy, and few enough that memories, unrolls and workspaces fit into 80 GB
      (`adaland.launch.runtimes.single.memory_check`).
    acting: Number of environments for acting alone.
    settings: Other changes to the preset.
  """

  name: str
  num_envs: int
  acting: int
  settings: tuple[str, ...] = ()


_PRESETS = (
  Preset("gpu", 4096, 4096),
  # A memory takes 4.1 MB, an unroll 5.9 MB, and environments that start
  # together end their unrolls together.
  Preset(
    "ada_23m",
    1024,
    2048,
    ("replay.capacity=2048", "device.memory_fraction=0.75"),
  ),
)
_TINY_PRESETS = (Preset("smoke", 2, 2, _TINY),)


@dataclasses.dataclass(frozen=True)
class Part:
  """A bench with its flags.

  Attributes:
    name: Name of the part.
    bench: Name of the bench.
    flags: Flags of the bench.
    prefix: Prefix of its results' names.
  """

  name: str
  bench: str
  flags: tuple[str, ...]
  prefix: str = ""


def parts(seconds: float, num_envs: int | None, tiny: bool) -> list[Part]:
  """Returns all parts, in the order in which they run.

  Args:
    seconds: Length of each measurement.
    num_envs: Number of environments; None for each part's own.
    tiny: Whether to use the smallest sizes, without an accelerator.
  """
  chosen = _TINY_PRESETS if tiny else _PRESETS
  common = (f"--seconds={seconds}",)
  size = "env.pixels=12,8" if tiny else "env.pixels=96,72"
  early = [Part("product", "product", common)]
  late: list[Part] = []
  last: list[Part] = []
  for preset in chosen:

    def part(
      bench: str, *flags: str, envs: int, more: Sequence[str] = (), p=preset
    ) -> Part:
      settings = (
        f"actor.envs_per_actor={num_envs or envs}",
        "env.backend=gpu",
        *_TRAINING,
        *p.settings,
        *more,
      )
      return Part(
        f"{p.name}_{bench}",
        bench,
        (*common, f"--preset={p.name}", *flags, "--set", *settings),
        f"{p.name}_",
      )

    device = "--launcher=device"
    early.append(part("acting", envs=preset.acting))
    early.append(part("learner", device, envs=preset.num_envs))
    many = f"--num_envs={num_envs or preset.num_envs}"
    gpu = "--backend=gpu"
    if preset == chosen[0]:
      late.append(part("env", gpu, many, envs=preset.num_envs, more=(size,)))
      # The most dispensable part, if time runs out.
      last = [part("vision", gpu, many, envs=preset.num_envs)]
    late.append(part("actor", device, envs=preset.num_envs))
    late.append(part("training", device, envs=preset.num_envs))
  return early + late + last


def device(
  seconds: float,
  num_envs: int | None,
  tiny: bool,
  minutes: float,
  only: Sequence[str] = (),
) -> dict[str, float]:
  """Measures all parts; most of the time is spent compiling.

  Separate processes compile the gpu back end's kernels while the network is
  measured. A part that fails or has no time left is reported on stderr, and its
  `PART_missing_count` is 1.

  Args:
    seconds: Length of each measurement.
    num_envs: Number of environments; None for each part's own.
    tiny: Whether to use the smallest sizes, without an accelerator.
    minutes: Time for everything.
    only: Names of the parts to run; all if empty.

  Returns:
    Results of all parts, and the time that each took.

  Raises:
    UserError: If a part is unknown, or without `tiny` there is no CUDA device.
  """
  with errors.user_input("bench device"):
    backends.check("gpu", "cpu" if tiny else "cuda")
  wanted = parts(seconds, num_envs, tiny)
  names = [part.name for part in wanted]
  for name in only:
    if name not in names:
      raise errors.choice("--parts", name, names)
  wanted = [part for part in wanted if not only or part.name in only]
  began = time.monotonic()
  result = _run(wanted, began + 60 * minutes, tiny)
  for preset in _TINY_PRESETS if tiny else _PRESETS:
    result |= _compared(preset, result, num_envs)
  return result | {"device_seconds": time.monotonic() - began}


def _run(
  wanted: Sequence[Part], deadline: float, tiny: bool
) -> dict[str, float]:
  result: dict[str, float] = {}
  compiling = _compile_kernels(wanted, tiny)
  began, faults = time.monotonic(), 0
  try:
    for part in wanted:
      if part.bench not in _NETWORK_PARTS:
        for name, process in compiling.items():
          done = process.wait(max(1.0, deadline - time.monotonic()))
          _report(f"{name}_kernels", done.fault, time.monotonic() - began)
          result |= {f"{name}_{k}": value for k, value in done.result.items()}
        compiling = {}
      start = time.monotonic()
      left = deadline - start
      if left < _LEAST_SECONDS:
        done = subprocess_json.Done({}, "there is no time left (--minutes)")
      else:
        done = subprocess_json.Process(
          "adaland.launch.bench", part.bench, *part.flags, env=os.environ
        ).wait(left)
      taken = time.monotonic() - start
      _report(part.name, done.fault, taken)
      result |= {part.prefix + k: value for k, value in done.result.items()}
      result[f"{part.name}_part_seconds"] = taken
      if done.fault:
        result[f"{part.name}_missing_count"] = 1.0
        faults += 1
  finally:
    for process in compiling.values():
      process.kill()
  return result | {"device_missing_count": float(faults)}


def _compile_kernels(
  wanted: Sequence[Part], tiny: bool
) -> dict[str, subprocess_json.Process]:
  """Starts to compile the kernels of each preset with a part that needs them.

  Kernels are kept in Warp's cache; another number of worlds needs two more
  small kernels, for MJWarp's neighbour search.
  """
  begun = {}
  for preset in _TINY_PRESETS if tiny else _PRESETS:
    prefix = f"{preset.name}_"
    if any(
      p.prefix == prefix and p.bench not in _NETWORK_PARTS for p in wanted
    ):
      begun[preset.name] = subprocess_json.Process(
        "adaland.launch.bench",
        "kernels",
        f"--preset={preset.name}",
        "--set",
        "env.backend=gpu",
        *preset.settings,
        env={**os.environ, **_SMALL},
      )
  return begun


def _report(name: str, fault: str, seconds: float) -> None:
  if fault:
    output.say(f"device: {name} is missing: {fault}")
  else:
    output.say(f"device: {name}: {seconds:.0f} s")


def _compared(
  preset: Preset, result: Mapping[str, float], num_envs: int | None
) -> dict[str, float]:
  """Compares a preset's run with its stages, if all were measured."""
  prefix = f"{preset.name}_"
  whole = [f"{prefix}{bench}" for bench in ("actor", "learner", "training")]
  if any(
    f"{name}_missing_count" in result or f"{name}_part_seconds" not in result
    for name in whole
  ):
    return {}
  config = overrides.apply(
    preset_configs.get(preset.name),
    [
      f"actor.envs_per_actor={num_envs or preset.num_envs}",
      *_TRAINING,
      *preset.settings,
    ],
  )
  measured = {
    name.removeprefix(prefix): value
    for name, value in result.items()
    if name.startswith(prefix)
  }
  compared = train.compare_stages(config, measured)
  return {prefix + name: value for name, value in compared.items()}


def check(result: Mapping[str, float]) -> None:
  """Raises RunError if a part is missing."""
  missing = [
    name.removesuffix("_missing_count")
    for name in result
    if name.endswith("_missing_count") and name != "device_missing_count"
  ]
  if missing:
    raise errors.RunError(f"bench device: without {', '.join(missing)}")
