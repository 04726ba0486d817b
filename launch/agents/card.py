"""The card of an agent: what it is, how it was trained, what it can do."""

import dataclasses
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from adaland.agent.learner_config import LearnerConfig, PrivilegedConfig
from adaland.envs.sampling import named
from adaland.launch import output
from adaland.launch.agents import agent_dir
from adaland.launch.config import json_codec
from adaland.launch.config.experiment import ExperimentConfig
from adaland.launch.evaluation.comparison import summary
from adaland.launch.run import progress

_ALGORITHMS = {
  "muesli": "Muesli (arXiv 2104.06159)",
  "ppo": "PPO (arXiv 1707.06347)",
  "vtrace": "V-trace (arXiv 1802.01561)",
}
_REMEMBERS = """, and keeps its memory between them,
so it can find out the rules in the first and use them in the others."""
_FORGETS = """, and no memory of those before:
it is a control that shows what memory is worth."""
_TEMPLATE = """\
# {name}: an adaptive agent

An agent that plays 3D tasks whose rules are hidden from it. It has several
trials on each task, all with the same start{memory}
It was trained with Adaland {version}.

    adaland watch --workdir={place}{flag}
    adaland evaluate --workdir={place} --control=swapped{flag}

    import adaland
    agent = adaland.load_agent("{place}"{argument})

## Tasks

{tasks}

## Training

| | |
|---|---|
| environment steps | {env_steps:,} |
| updates | {updates:,} |
| wall time | {duration} |
| hardware | {hardware} |
| start | {start} |{averaged}{temperature}
| seed | {seed} (this agent is one run, of one seed) |
| network | {network} |
| observation | `{observation}` |
| algorithm | {algorithm} |
| recipe | `{recipe}` |

{privileged}

## Results

{results}

## Limits

{limits}

## Licence

Apache 2.0, as Adaland.
"""


def write(
  description: agent_dir.Description,
  version: str,
  place: str,
  num_params: int,
  results: Mapping[str, Any] | None,
  notes: Sequence[str],
) -> str:
  """Returns the card, Markdown.

  Args:
    description: The agent.
    version: Version of Adaland.
    place: The name that users pass, such as "agent:laptop".
    num_params: Number of its parameters.
    results: What `summary.compare` returned; None if there are no results.
    notes: Further limits that users must know, each a sentence.
  """
  experiment, training = description.config, description.training
  memory = experiment.factories.memory or experiment.network.memory
  pairs = ", a pair memory" if experiment.network.pair_memory else ""
  flag = " --own_parts" if experiment.factories.code else ""
  return _TEMPLATE.format(
    name=description.name,
    version=version,
    place=place,
    flag=flag,
    argument=", own_parts=True" if experiment.factories.code else "",
    memory=_FORGETS if memory == "none" else _REMEMBERS,
    tasks=_tasks(experiment),
    env_steps=training.env_steps,
    updates=training.updates,
    duration=progress.duration(training.seconds),
    hardware=training.hardware or "not recorded",
    start=_start(experiment.run.start_from),
    averaged=_averaged(training.averaged),
    temperature=_temperature(training.temperature),
    seed=experiment.run.seed,
    network=(
      f"{num_params:,} parameters, memory `{_without_folder(memory)}`, "
      f"{output.plural(experiment.network.num_layers, 'layer')} of width "
      f"{experiment.network.d_model}{pairs}"
    ),
    observation=experiment.env.observation,
    algorithm=(
      f"{_algorithm(experiment.learner)}, learning rate "
      f"{experiment.learner.learning_rate:g}, batches of "
      f"{experiment.replay.batch_size} unrolls"
    ),
    recipe=_without_folder(experiment.factories.recipe)
    or f"adaland train --config=agent.json --workdir=RUN{flag}"
    f"{_other_agents(experiment)}",
    privileged=privileged(experiment),
    results=_results(results),
    limits=_limits(experiment, notes),
  )


def _schedule(weights: PrivilegedConfig) -> str:
  """Describes the schedule of distillation."""
  if weights.distillation_alone == 1:
    return "without reinforcement learning during the whole run"
  end = f"{weights.distillation_share:.0%}"
  text = "reinforcement learning took over by "
  if not weights.distillation_replaces:
    text = "next to reinforcement learning, gone after "
  if not weights.distillation_alone:
    return f"{text}{end} of the run"
  start = f"{weights.distillation_alone:.0%}"
  return (
    f"without reinforcement learning in the first {start} of the run; "
    f"then {text}{end}"
  )


def _algorithm(learner: LearnerConfig) -> str:
  """Returns the name of the algorithm, with its source."""
  if learner.privileged.distillation_alone == 1:
    return "imitation alone, no reinforcement learning"
  return _ALGORITHMS[learner.algorithm]


def _without_folder(path: str) -> str:
  """Returns a path as a card shows it.

  A card is published; the names of its author's folders need not be.
  """
  return os.path.basename(path) if os.path.isabs(path) else path


def _own_parts(code: Mapping[str, str]) -> list[str]:
  """Returns a sentence about the code that an agent needs, if any."""
  if not code:
    return []
  named = (f"{name} `{_without_folder(at)}`" for name, at in code.items())
  return [
    f"It needs its maker's own code ({', '.join(named)}), which `--own_parts` "
    "imports: use it only if you trust that code."
  ]


def _start(agent: str) -> str:
  """Returns the parameters that training started from."""
  if not agent:
    return "random parameters"
  return f"the parameters of the agent `{_without_folder(agent)}`"


def _averaged(agents: Sequence[str]) -> str:
  """Returns a row about other agents' parameters; empty if there are none."""
  if not agents:
    return ""
  names = ", ".join(f"`{_without_folder(name)}`" for name in agents)
  return (
    "\n| parameters | the mean (arXiv 2203.05482) of those that the run ended "
    f"with and those of {names} |"
  )


def _temperature(temperature: float) -> str:
  """Returns a row about the policy; empty if it is as trained."""
  if temperature == 1:
    return ""
  return f"\n| policy | logits divided by {temperature:g} after training |"


def _other_agents(experiment: ExperimentConfig) -> str:
  """Returns a flag for the agents that a new run needs; empty without any.

  The config names folders that only its maker has.
  """
  start, teacher = experiment.run.start_from, experiment.teaching.agent
  settings = ""
  if start and not agent_dir.is_shipped(start):
    settings += " run.start_from=AGENT"
  if teacher and not agent_dir.is_shipped(teacher):
    settings += " teaching.teacher=agent:TEACHER"
  return settings and f" --set{settings}"


def _tasks(experiment: ExperimentConfig) -> str:
  """Describes the tasks that the agent was trained on."""
  if experiment.factories.tasks:
    has_folder = experiment.factories.has_folder
    what = "folder of task files" if has_folder else "family"
    return f"The training half of a {what} of its maker's own."
  tasks = experiment.tasks
  changed = [
    f"{field.name} = {json.dumps(json_codec.to_json(value))}"
    for field in dataclasses.fields(tasks)
    if (value := getattr(tasks, field.name)) != field.default
  ]
  return "\n".join(
    [
      "The training half of the task family that `tasks` in `agent.json`",
      "describes; held-out tasks have other games and other worlds. Settings",
      "that differ from the defaults:",
      "",
      *(f"    {line}" for line in changed or ["(none)"]),
    ]
  )


def privileged(experiment: ExperimentConfig) -> str:
  """Describes the information that training used but the agent does not see.

  Args:
    experiment: The config of the agent's run.
  """
  weights, teaching = experiment.learner.privileged, experiment.teaching
  teacher = f"the scripted `{teaching.teacher}`"
  if teaching.agent:
    teacher = f"the agent `{_without_folder(teaching.agent)}`"
  used = []
  if weights.belief_weight:
    used.append(
      "a belief loss: the memory's output predicts the hidden rules (arXiv "
      f"1905.06424), weight {weights.belief_weight:g}"
    )
  if weights.distillation_weight:
    used.append(
      f"distillation from {teacher}, which labels the agent's own states: "
      f"weight {weights.distillation_weight:g}, {_schedule(weights)}"
    )
  if weights.critic_weight:
    used.append(
      f"a critic that is told the true rules, weight {weights.critic_weight:g}"
    )
  if teaching.taught:
    used.append(
      f"{teaching.taught:.0%} of the training episodes were played by {teacher}"
    )
  if teaching.demonstrated:
    used.append(
      f"in {teaching.demonstrated:.0%} of the training episodes the "
      f"{teaching.demonstrator}, "
      "which is told the rules, played the first trial"
    )
  if not used:
    return (
      "**Privileged training: none.** Training used nothing that the "
      "agent\nis not shown."
    )
  return "\n".join(
    [
      "**Privileged training.** Training, but not acting, used information",
      "that the agent is not told:",
      "",
      *(f"- {line}" for line in used),
    ]
  )


def _results(results: Mapping[str, Any] | None) -> str:
  if results is None:
    return "No evaluation came with this agent."
  tasks = f"`--taskset={results['taskset']}`"
  if results["taskset"] == "test":
    tasks += ", held-out tasks of its training distribution"
  elif named.is_named(results["taskset"]):
    tasks += ", held-out tasks of that family"
  return "\n".join(
    [
      "Score: a trial's reward over that of the scripted expert, which is",
      f"told all rules. Trials are attempts at the same task; tasks: {tasks}.",
      "",
      summary.text(results),
      "",
      f"![Score by trial]({agent_dir.FIGURE})",
    ]
  )


def _limits(experiment: ExperimentConfig, notes: Sequence[str]) -> str:
  env = experiment.env
  players = "one player" if env.num_players == 1 else "one or two players"
  lines = [
    f"Worlds of {players}, at most {env.num_slots} objects and "
    f"{env.max_rules} rules.",
    "It was trained for the tasks above; nothing is promised on others.",
    "Its actions are sampled: scores differ from one --seed to the next.",
    *_own_parts(experiment.factories.code),
    *notes,
  ]
  return "\n".join(f"- {line}" for line in lines)
