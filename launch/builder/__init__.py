"""Builder of a run's components from its config.

It makes the agent, learner, unrolls, actors and curriculum; launchers connect
them.
"""

from adaland.launch.builder.actors import (
  actor,
  device_actor,
  environment,
  environments,
  snapshot_pool,
)
from adaland.launch.builder.agents import (
  Agent,
  agent,
  averaged_params,
  first_state,
  learner,
  starting_params,
  teacher,
)
from adaland.launch.builder.curricula import curriculum, decision_log
from adaland.launch.builder.unrolls import (
  batch_template,
  checkpoint_template,
  unroll_spec,
)

__all__ = [
  "Agent",
  "actor",
  "agent",
  "averaged_params",
  "batch_template",
  "checkpoint_template",
  "curriculum",
  "decision_log",
  "device_actor",
  "environment",
  "environments",
  "first_state",
  "learner",
  "snapshot_pool",
  "starting_params",
  "teacher",
  "unroll_spec",
]
