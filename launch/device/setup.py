"""What must be so before JAX starts: the config's fit, memory, caches."""

import hashlib
import os
import pathlib
import platform

import jax

from launch import config, errors

# Programs that compile faster than this are not worth a file.
_CACHED_SECONDS = 0.2
CACHE_VARIABLE = "JAX_COMPILATION_CACHE_DIR"
MEMORY_VARIABLE = "XLA_PYTHON_CLIENT_MEM_FRACTION"


def prepare(experiment: config.ExperimentConfig) -> None:
  """Checks the config and sets up JAX, which must not have run anything yet.

  Raises:
    UserError: If a setting means nothing in one process.
  """
  _check(experiment)
  _set_up(experiment.device.memory_fraction)


def _check(experiment: config.ExperimentConfig) -> None:
  replay, actor = experiment.replay, experiment.actor
  for field, value, ok, allowed in (
    ("actor.num_actors", actor.num_actors, actor.num_actors == 1, "1"),
    ("actor.num_threads", actor.num_threads, actor.num_threads == 1, "1"),
    (
      "actor.inference",
      actor.inference,
      actor.inference == "cpu",
      "cpu, which changes nothing: the network acts where it learns",
    ),
    (
      "actor.unroll_length",
      actor.unroll_length,
      actor.unroll_length >= 3,
      "at least 3",
    ),
    ("replay.kind", replay.kind, replay.kind != "reverb", "auto or memory"),
    (
      "replay.sampling",
      replay.sampling,
      replay.sampling != "prioritized",
      "uniform or queue",
    ),
    (
      "replay.samples_per_insert",
      replay.samples_per_insert,
      replay.sampling == "queue" or replay.samples_per_insert is not None,
      "a number: it says how much to learn",
    ),
    (
      "replay.error_buffer",
      replay.error_buffer,
      replay.error_buffer is None,
      "null: samples_per_insert is kept exactly",
    ),
  ):
    if not ok:
      raise errors.UserError(
        f"{field} is {value!r}, allowed with --launcher=device: {allowed}"
      )


def _set_up(memory_fraction: float) -> None:
  os.environ.setdefault(MEMORY_VARIABLE, str(memory_fraction))
  # On the processor a program then runs in the thread that calls it, so that
  # acting does not wait for the learner's thread.
  jax.config.update("jax_cpu_enable_async_dispatch", False)
  if CACHE_VARIABLE not in os.environ:
    jax.config.update("jax_compilation_cache_dir", str(cache_folder()))
    jax.config.update(
      "jax_persistent_cache_min_compile_time_secs", _CACHED_SECONDS
    )


def cache_folder() -> pathlib.Path:
  """Where compiled programs are kept: the user's cache directory.

  Its name tells machines apart, for a home directory may be shared and code
  for one processor not run on another.
  """
  base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
  machine = [platform.machine(), *_processor_flags()]
  name = hashlib.sha256(" ".join(machine).encode()).hexdigest()[:12]
  return pathlib.Path(base) / "adaland" / f"jax-{name}"


def _processor_flags() -> list[str]:
  try:
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
  except OSError:
    return []
  flags = [line for line in lines if line.startswith(("flags", "Features"))]
  return flags[:1]
