"""Requests to change the number of actors, as a file in the run's directory.

A file reaches the training process under any launcher, also over a shared file
system, and needs no open connection.
"""

import dataclasses
import json
import logging

from adaland.launch import errors, output
from adaland.launch.config.experiment import ActorConfig, ExperimentConfig
from adaland.launch.run import rundir

FORMAT = "adaland.scale/1"
_NAME = "scale.json"


def request(run: rundir.RunDir, num_actors: int) -> None:
  """Requests a number of actors.

  Raises:
    UserError: If a run can't have that many actors.
  """
  with errors.user_input():
    ActorConfig(num_actors=num_actors)
  content = {"format": FORMAT, "num_actors": num_actors}
  output.write_atomically(str(run.path / _NAME), json.dumps(content))


def forget(run: rundir.RunDir) -> None:
  """Drops a request made to an earlier start of the run."""
  (run.path / _NAME).unlink(missing_ok=True)


def take(
  run: rundir.RunDir, experiment: ExperimentConfig
) -> ExperimentConfig | None:
  """Takes a request; returns the changed config, or None without a request.

  It also changes the run's `config.json`.

  Args:
    run: The run's directory.
    experiment: Its config.
  """
  path = run.path / _NAME
  try:
    text = path.read_bytes()
  except FileNotFoundError:
    return None
  except OSError as error:
    logging.warning("%s: %s", path, error)
    return None
  forget(run)
  try:
    content = json.loads(text)
    if content["format"] != FORMAT:
      raise ValueError(f"the format is not {FORMAT!r}")
    scaled = dataclasses.replace(
      experiment,
      actor=dataclasses.replace(
        experiment.actor, num_actors=int(content["num_actors"])
      ),
    )
  except (
    KeyError,
    OverflowError,
    RecursionError,
    TypeError,
    ValueError,
  ) as error:
    logging.warning("%s: %s", path, error)
    return None
  run.write_config(scaled)
  return scaled
