"""Runs and agents without training."""

import pathlib
from typing import Any

import jax

from adaland.agent.checkpoint import checkpoint
from adaland.launch import builder
from adaland.launch.config import experiment, preset_configs
from adaland.launch.run import rundir


def run(folder: pathlib.Path, **changes: Any) -> experiment.ExperimentConfig:
  """Writes a run of the preset smoke with a checkpoint, and no training.

  Args:
    folder: Its directory.
    **changes: Changed values of the checkpoint's `run` dictionary.

  Returns:
    The run's config.
  """
  config = preset_configs.smoke()
  directory = rundir.RunDir(str(folder))
  directory.begin(config).close()
  learner = builder.learner(config, builder.agent(config).network)
  state = learner.init(jax.random.PRNGKey(3))
  saved = {"played": {"env_steps": 120}, "seconds": 61.5} | changes
  checkpoint.save(directory.checkpoints, 7, {"train": state}, saved)
  return config
