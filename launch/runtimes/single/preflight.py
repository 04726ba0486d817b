"""What must be so before a run compiles: the config's fit, and memory."""

import os

import jax

from adaland.envs.physics import backends
from adaland.launch import errors
from adaland.launch.config import experiment as config
from adaland.launch.runtimes.single import memory_check

MEMORY_VARIABLE = "XLA_PYTHON_CLIENT_MEM_FRACTION"


def prepare(experiment: config.ExperimentConfig) -> None:
  """Checks the config and sets up JAX, which must not have run anything yet.

  Raises:
    UserError: If a setting means nothing in one process, or memory is too
      small for them all.
  """
  _check(experiment)
  _set_up(experiment.device.memory_fraction)
  env = experiment.env
  with errors.user_input("env"):
    backends.check(env.backend, env.device)
  memory_check.check(experiment)
  # JAX has started, and taken what is its own.
  with errors.user_input("env"):
    backends.check_memory(
      env.backend,
      env.device,
      experiment.actor.envs_per_actor,
      env.num_slots,
      env.num_players,
    )


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
      "replay.samples_per_insert",
      replay.samples_per_insert,
      replay.sampling == "queue" or replay.samples_per_insert is not None,
      "a number: it says how much to learn",
    ),
    (
      "replay.capacity",
      replay.capacity,
      replay.sampling != "queue" or replay.capacity >= actor.envs_per_actor,
      f"at least actor.envs_per_actor ({actor.envs_per_actor}) for a queue: "
      "environments that began together end their unrolls together",
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
