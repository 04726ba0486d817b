"""The players next to an agent that is watched."""

from adaland.launch import errors
from adaland.launch.agents import agent_dir
from adaland.launch.config.experiment import ExperimentConfig
from adaland.launch.evaluation import (
  fewshot,
  policies,
  prompting,
  trained_agent,
)

# They play only some kinds of tasks; the other players, all.
EXPLORERS = ("explorer", "forgetful")
# What the name of a shipped agent's memoryless counterpart ends with.
MEMORYLESS = "-memoryless"


def prompted(agent: policies.PolicyMaker, demo: str) -> policies.PolicyMaker:
  """Returns a function that makes an agent prompted by a scripted player.

  Args:
    agent: Makes the agent from the environments.
    demo: Name of the player of the first trial.
  """
  teacher = policies.baseline(demo, seed=0)
  return lambda environments: prompting.Prompted(
    agent(environments), teacher(environments)
  )


def memoryless_beside(workdir: str) -> str | None:
  """Returns the workdir of a shipped agent's memoryless counterpart, if any."""
  if not workdir.startswith(agent_dir.PREFIX):
    return None
  name = f"{workdir.removeprefix(agent_dir.PREFIX)}{MEMORYLESS}"
  return f"{agent_dir.PREFIX}{name}" if name in agent_dir.names() else None


def memoryless(
  place: str,
  workdir: str,
  experiment: ExperimentConfig,
  seed: int,
  own_parts: bool,
) -> policies.PolicyMaker:
  """Returns a function that makes a memoryless agent.

  Args:
    place: The agent, as in `trained_agent.load`.
    workdir: The agent that is watched, for errors.
    experiment: Its config.
    seed: Seed of the actions.
    own_parts: True if code that the config names may be imported.

  Raises:
    UserError: If there is no such agent, it has a memory, or its environments
      are others.
  """
  with errors.user_input(f"--memoryless={place}"):
    saved = trained_agent.load(place, own_parts)
  memory = saved.config.factories.memory or saved.config.network.memory
  if memory != "none":
    raise errors.UserError(
      f"--memoryless={place}: has the memory {errors.printable(memory)}, "
      "allowed: an agent trained with network.memory=none"
    )
  theirs, ours = (
    (config.env, config.factories.environment)
    for config in (saved.config, experiment)
  )
  if theirs != ours:
    raise errors.UserError(
      f"--memoryless={place}: its environments differ from those of "
      f"{workdir}, allowed: the same"
    )
  return fewshot.agent_policy(saved.config, saved.params, seed)


def scripted(seed: int) -> dict[str, policies.PolicyMaker]:
  """Returns functions that make the players without parameters, by name."""
  names = ("expert", *EXPLORERS, "random")
  return {name: policies.baseline(name, seed) for name in names}
