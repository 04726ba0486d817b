"""Checks of the config and the memory, before a run compiles."""

import os

from adaland.envs.physics import backends
from adaland.launch import errors
from adaland.launch.config.experiment import ExperimentConfig
from adaland.launch.run import dispatch
from adaland.launch.runtimes.single import memory_check

MEMORY_VARIABLE = "XLA_PYTHON_CLIENT_MEM_FRACTION"


def prepare(experiment: ExperimentConfig) -> None:
  """Checks the config and the memory, and sets up JAX if it has not started.

  Raises:
    UserError: If a setting has no meaning in one process, or the run does not
      fit into memory.
  """
  _check(experiment)
  set_up(experiment.device.memory_fraction)
  env = experiment.env
  with errors.user_input("env"):
    backends.check(env.backend, env.device)
  memory_check.check(experiment)
  # JAX has started and allocated its share of the memory.
  with errors.user_input("env"):
    backends.check_memory(
      env.backend,
      env.device,
      experiment.actor.envs_per_actor,
      env.num_slots,
      env.num_players,
    )


def _check(experiment: ExperimentConfig) -> None:
  """Raises UserError for a setting that has no meaning in one process."""
  replay, actor = experiment.replay, experiment.actor
  queued = experiment.num_rows + replay.batch_size - 1
  for field, value, ok, allowed in (
    ("actor.num_actors", actor.num_actors, actor.num_actors == 1, "1"),
    ("replay.kind", replay.kind, replay.kind != "reverb", "auto or memory"),
    (
      "replay.samples_per_insert",
      replay.samples_per_insert,
      replay.sampling == "queue" or replay.samples_per_insert is not None,
      "a number, which decides when to learn",
    ),
    (
      "replay.capacity",
      replay.capacity,
      replay.sampling != "queue" or replay.capacity >= queued,
      f"at least {queued} for a queue: environments that start together end "
      f"their unrolls together, one for each of {experiment.num_rows} players, "
      f"and replay.batch_size - 1 may still wait",
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
        f"{field} is {value!r}, allowed with launcher device: {allowed}"
      )


def set_up(memory_fraction: float) -> None:
  """Sets up JAX, which must not have started yet.

  Args:
    memory_fraction: JAX's share of an accelerator's memory, unless the
      environment variable is already set.
  """
  os.environ.setdefault(MEMORY_VARIABLE, str(memory_fraction))
  dispatch.run_inline()  # Acting must not wait for the learner's thread.
