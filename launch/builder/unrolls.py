"""The structure of a run's unrolls, batches and checkpoints."""

from typing import Any

import jax
import numpy as np

from adaland.agent import types
from adaland.agent.replay.spec import UnrollSpec
from adaland.envs import constants
from adaland.launch.acting import cutting
from adaland.launch.builder.agents import Agent
from adaland.launch.config import experiment


def unroll_spec(config: experiment.ExperimentConfig, made: Agent) -> UnrollSpec:
  """Returns names, shapes and dtypes of the run's unrolls."""
  memory = {}
  if not config.whole_episodes:
    shapes = jax.eval_shape(lambda: made.network.initial_memory(1))
    memory = jax.tree.map(lambda x: np.zeros(x.shape[1:], x.dtype), shapes)
  example = cutting.example_unroll(
    made.observation_spec,
    config.network.action_sizes,
    config.actor.unroll_length,
    memory,
    labels=config.teaching.labels,
    rules=rules_shape(config),
  )
  return UnrollSpec.from_unroll(example)


def rules_shape(
  config: experiment.ExperimentConfig,
) -> tuple[int, int] | None:
  """Returns the shape of the true rules in an unroll; None if there are none.

  Args:
    config: The run's config.
  """
  if not config.learner.privileged.needs_rules:
    return None
  return config.env.max_rules, constants.RULE_WIDTH


def batch_template(
  config: experiment.ExperimentConfig, spec: UnrollSpec
) -> types.Unroll:
  """Returns a learner batch of zeros."""
  n = config.replay.batch_size
  return spec.unflatten(
    [np.zeros((n, *c.shape), c.wire_dtype) for c in spec.columns]
  )


def checkpoint_template(
  config: experiment.ExperimentConfig, state: Any, spec: UnrollSpec
) -> dict[str, Any]:
  """Returns structure, shapes and dtypes of a checkpoint's arrays.

  Args:
    config: The run's config.
    state: The learner's state, or its shapes.
    spec: Columns of the run's unrolls.
  """
  return {
    "train": jax.eval_shape(lambda x: x, state),
    "batch": batch_template(config, spec),
  }
