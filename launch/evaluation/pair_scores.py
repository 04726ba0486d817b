"""Scores of pairs of players on tasks of two players."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from adaland.envs import land
from adaland.envs.tasks.task import Task
from adaland.launch import builder, errors
from adaland.launch.agents import saved_agent
from adaland.launch.config.experiment import ExperimentConfig
from adaland.launch.evaluation import (
  fewshot,
  pairs,
  policies,
  scores,
  tasksets,
  trained_agent,
)

SELF = "self"
_AGENT = "agent:"
_ALLOWED = (SELF, *pairs.NAMES, "agent:NAME", "agent:DIRECTORY")


def evaluate(
  policy: str,
  makers: Mapping[str, policies.PolicyMaker],
  env: land.LandConfig,
  tasks: Sequence[Task],
  trials: Sequence[int],
  seed: int,
  repeats: int,
  say: Callable[[str], None],
) -> list[dict[str, Any]]:
  """Scores pairs by the rewards of the scripted experts as a pair.

  Args:
    policy: Name of player 1.
    makers: By the co-player's name a function that makes the pair.
    env: Sizes of the environments, of two players.
    tasks: The tasks to play.
    trials: Each number of trials, k, to play.
    seed: Seed of the environments.
    repeats: Episodes of each task and k; their rewards are averaged.
    say: Shows the progress.

  Returns:
    For each pair the `scores.summary` of player 1, with "coplayer" and, as
    "player2", the summary of player 2; each player's scores are over the
    reward of the expert in its place.

  Raises:
    UserError: If a task does not fit the environments.
  """
  ids, results = tasksets.ids(tasks), []
  with errors.user_input():
    best = pairs.best_rewards(
      tasks, env, seed, lambda done: say(f"experts play: {done:.0%}")
    )
    for coplayer, make in makers.items():
      label = f"{policy} with {coplayer}"
      rewards = fewshot.trial_rewards(
        env,
        tasks,
        trials,
        make,
        seed,
        repeats,
        lambda done, label=label: say(f"{label} plays: {done:.0%}"),
      )
      first, second = (
        scores.summary(
          name,
          ids,
          {k: found[..., player] for k, found in rewards.items()},
          best[:, player],
        )
        for player, name in enumerate((policy, coplayer))
      )
      results.append(
        first
        | {
          "coplayer": coplayer,
          "player2": second,
          "tasks_sha256": tasksets.fingerprint(tasks),
        }
      )
  return results


def agent_side(
  experiment: ExperimentConfig, params: Any, seed: int
) -> pairs.SideMaker:
  """Returns a function that makes an agent with a memory of its own."""
  return lambda envs, player: fewshot.agent_policy(
    experiment, params, seed + player
  )(envs)


def make_pairs(
  first: pairs.SideMaker,
  coplayers: Sequence[str],
  experiment: ExperimentConfig | None,
  seed: int,
  own_parts: bool,
) -> dict[str, policies.PolicyMaker]:
  """Returns functions that make pairs, by the co-player's name.

  Args:
    first: Makes player 1; on both sides for "self".
    coplayers: Names of co-players.
    experiment: Config of the environments' run; None if there is no run.
    seed: Seed of their random choices.
    own_parts: Whether code that a co-player's config names may be imported.

  Raises:
    UserError: If there is no such co-player, or it does not fit.
  """
  found = {}
  for name in coplayers:
    if name.startswith(_AGENT):
      second = _agent(name, experiment, seed, own_parts)
    elif name == SELF:
      second = first
    elif name in pairs.NAMES:
      second = pairs.side_maker(name, seed)
    else:
      raise errors.choice("--coplayer", name, list(_ALLOWED))
    found[name] = pairs.maker(first, second)
  return found


def _agent(
  name: str, experiment: ExperimentConfig | None, seed: int, own_parts: bool
) -> pairs.SideMaker:
  """Returns a function that makes another agent, as the second player."""
  with errors.user_input(f"--coplayer={name}"):
    place = saved_agent.teacher_place(name.removeprefix(_AGENT))
    saved = trained_agent.load(place, own_parts)
    if experiment is None:
      raise errors.UserError(
        "allowed with --workdir only, whose worlds it sees"
      )
    saved_agent.check_teacher(saved.config, experiment)
  actor = builder.agent(saved.config).actor
  return lambda envs, player: policies.Agent(
    actor, saved.params, envs.num_envs, seed + player
  )
