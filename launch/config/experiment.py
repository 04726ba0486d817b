"""The settings of a run: one frozen dataclass per component."""

import dataclasses
from typing import Any, Final

from adaland.agent import learner_config
from adaland.agent.config import (
  LOCAL_MEMORIES,
  WINDOWED_MEMORIES,
  NetworkConfig,
)
from adaland.agent.replay.config import ReplayConfig
from adaland.agent.validation import require
from adaland.curriculum import factory
from adaland.curriculum.coplayers import CoplayersConfig
from adaland.envs import constants, land_types
from adaland.launch.config.factories import FactoriesConfig
from adaland.launch.config.runtime import (
  ActorConfig,
  ClusterConfig,
  DeviceConfig,
  RunConfig,
)
from adaland.launch.config.tasks import TasksConfig
from adaland.launch.config.teaching import TeachingConfig

__all__ = [
  "FREE_FIELDS",
  "NETWORK_INTERFACE",
  "ActorConfig",
  "ClusterConfig",
  "DeviceConfig",
  "ExperimentConfig",
  "RunConfig",
]

# Network settings that the environment determines; rows that a user adds to its
# tables change them.
NETWORK_INTERFACE: Final[dict[str, Any]] = {
  "action_sizes": constants.ACTION_SIZES,
  "num_predicate_ids": constants.NUM_PREDICATE_IDS,
  "num_shape_ids": constants.NUM_SHAPE_IDS,
  "num_colour_ids": constants.NUM_COLOUR_IDS,
  "entity_shapes": constants.NUM_SHAPES + 1,
  "entity_shape_ids": (*constants.SHAPE_IDS, constants.PLAYER_SHAPE),
  "entity_colours": constants.NUM_COLOURS,
}


@dataclasses.dataclass(frozen=True)
class ExperimentConfig:
  """The settings of an experiment.

  Attributes:
    run: Length, seed, outputs.
    actor: The acting processes.
    env: The simulated environments.
    tasks: The distribution of tasks, whose training half the run draws from.
    curriculum: The choice of tasks from it.
    coplayers: The choice of co-players for tasks of two players.
    network: The agent's network.
    learner: The learning algorithm.
    replay: The store between actors and learner.
    cluster: Resources of the roles, the evaluator, and hang timeouts.
    device: A run in one process, under `--launcher=device`.
    teaching: Scripted players, or a trained agent, that teach.
    factories: References to the user's own parts.
  """

  run: RunConfig = dataclasses.field(default_factory=RunConfig)
  actor: ActorConfig = dataclasses.field(default_factory=ActorConfig)
  env: land_types.LandConfig = dataclasses.field(
    default_factory=land_types.LandConfig
  )
  tasks: TasksConfig = dataclasses.field(default_factory=TasksConfig)
  curriculum: factory.CurriculumConfig = dataclasses.field(
    default_factory=factory.CurriculumConfig
  )
  coplayers: CoplayersConfig = dataclasses.field(
    default_factory=CoplayersConfig
  )
  network: NetworkConfig = dataclasses.field(
    default_factory=lambda: NetworkConfig(**NETWORK_INTERFACE)
  )
  learner: learner_config.LearnerConfig = dataclasses.field(
    default_factory=learner_config.LearnerConfig
  )
  replay: ReplayConfig = dataclasses.field(default_factory=ReplayConfig)
  cluster: ClusterConfig = dataclasses.field(default_factory=ClusterConfig)
  device: DeviceConfig = dataclasses.field(default_factory=DeviceConfig)
  teaching: TeachingConfig = dataclasses.field(default_factory=TeachingConfig)
  factories: FactoriesConfig = dataclasses.field(
    default_factory=FactoriesConfig
  )

  def __post_init__(self):
    require(
      self.tasks.split == "train",
      "tasks.split",
      self.tasks.split,
      "train (evaluation takes the other half)",
    )
    limits = self.tasks.limits
    require(
      limits.objects <= self.env.num_slots,
      "env.num_slots",
      self.env.num_slots,
      f"at least the objects that tasks can have ({limits.objects})",
    )
    require(
      limits.rules <= self.env.max_rules,
      "env.max_rules",
      self.env.max_rules,
      f"at least the rules that tasks can have ({limits.rules})",
    )
    self._check_length()
    self._check_players()
    self._check_privileged()
    self._check_windows()
    require(
      self.curriculum.kind not in ("noop", "learnability", "plr")
      or self.teaching.taught + self.teaching.demonstrated < 1,
      "teaching.taught + teaching.demonstrated",
      self.teaching.taught + self.teaching.demonstrated,
      f"below 1: curriculum.kind={self.curriculum.kind!r} plays tasks with the "
      "agent alone",
    )
    self._check_fitness()
    for name, needed in NETWORK_INTERFACE.items():
      given = getattr(self.network, name)
      require(
        given == needed,
        f"network.{name}",
        given,
        f"the environment's, {needed}",
      )
    if self.env.observation == "pixels" and self.network.vision == "patches":
      width, height = self.env.pixels
      self.network.patches.check_picture(height, width)
    require(
      not self.network.pair_memory or self.env.observation == "entities",
      "network.pair_memory",
      self.network.pair_memory,
      f"False with env.observation {self.env.observation!r} (it remembers "
      "entities)",
    )
    require(
      self.replay.batch_size % self.cluster.num_learners == 0,
      "cluster.num_learners",
      self.cluster.num_learners,
      f"a divisor of replay.batch_size ({self.replay.batch_size})",
    )

  def _check_length(self) -> None:
    """Checks that a run with a schedule has a length."""
    run, learner = self.run, self.learner
    privileged = learner.privileged
    ends = privileged.needs_teacher and privileged.distillation_alone < 1
    # Without a bound, the share of the run that is over stays 0.
    require(
      run.max_steps > 0
      or run.max_minutes > 0
      or not (learner.final_rate < 1 or ends),
      "(run.max_steps, run.max_minutes)",
      (run.max_steps, run.max_minutes),
      "one of them above 0, with learner.final_rate below 1 or distillation "
      "that ends (learner.privileged.distillation_alone below 1)",
    )

  def _check_players(self) -> None:
    """Checks that the environments have as many players as the tasks."""
    players, probability = self.env.num_players, self.tasks.pair_probability
    require(
      players == 2 or probability == 0,
      "env.num_players",
      players,
      f"2, with tasks.two_player_probability={probability:g}",
    )
    require(
      players == 1 or probability > 0 or bool(self.factories.tasks),
      "env.num_players",
      players,
      "1, as all tasks have (tasks.two_player_probability)",
    )
    require(
      players == 1 or not self.teaching.used,
      "(teaching.teacher, teaching.demonstrated)",
      (self.teaching.teacher, self.teaching.demonstrated),
      "('none', 0) with env.num_players=2: these players play alone",
    )

  def _check_privileged(self) -> None:
    """Checks that each privileged loss has its network head or teacher."""
    privileged = self.learner.privileged
    for field, given, needed in (
      ("network.belief", self.network.belief, privileged.belief_weight > 0),
      (
        "network.privileged_critic",
        self.network.privileged_critic,
        privileged.critic_weight > 0,
      ),
    ):
      require(
        given == needed, field, given, f"{needed}, as in learner.privileged"
      )
    require(
      self.teaching.teacher != "none" or not privileged.needs_teacher,
      "teaching.teacher",
      self.teaching.teacher,
      "a teacher, for learner.privileged.distillation_weight",
    )

  def _check_fitness(self) -> None:
    """Checks that PLR scores tasks by an error of what is learned."""
    learner, fitness = self.learner, self.curriculum.plr.fitness
    # Only a teacher that is an agent teaches the model's policies.
    distils = bool(self.teaching.agent) and learner.privileged.needs_teacher
    improves = learner.learns_values and learner.muesli.cmpo != "none"
    learned = {
      "td_error": learner.learns_values,
      "value": learner.learns_values and learner.has_model,
      "policy": learner.has_model and (distils or improves),
    }
    names = " or ".join(
      name for name, is_learned in learned.items() if is_learned
    )
    require(
      self.curriculum.kind != "plr" or learned[fitness],
      "curriculum.plr.fitness",
      fitness,
      "an error of what `learner` has the agent learn: "
      + (names or "none, with learner.privileged.distillation_alone=1"),
    )

  def _check_windows(self) -> None:
    """Checks that a memory's windows fit into the episodes."""
    network, steps = self.network, self.longest_episode
    require(
      network.memory not in WINDOWED_MEMORIES
      or network.memory_length <= steps + 1,
      "network.memory_length",
      network.memory_length,
      f"at most {steps + 1}, the longest episode and its last observation; "
      "nothing is further back",
    )
    if network.memory in LOCAL_MEMORIES:
      require(
        network.local_length < steps,
        "network.local_length",
        network.local_length,
        f"less than the longest episode ({steps} steps); a local layer would "
        "see all of it",
      )
    if network.attention_sinks:
      require(
        network.memory_length < steps,
        "network.memory_length",
        network.memory_length,
        f"less than the longest episode ({steps} steps) with "
        "network.attention_sinks, which would never be used",
      )

  @property
  def longest_episode(self) -> int:
    """Number of steps of the longest episode in `tasks`."""
    return self.tasks.limits.steps

  @property
  def num_rows(self) -> int:
    """Players of an actor's environments, absent ones included."""
    return self.actor.envs_per_actor * self.env.num_players

  @property
  def whole_episodes(self) -> bool:
    """True if every unroll is a whole episode."""
    return self.actor.unroll_length >= self.longest_episode


# May change when a run is resumed: they affect an update only through the
# progress of its schedules.
FREE_FIELDS = (
  "run.max_steps",
  "run.max_minutes",
  "run.checkpoint_minutes",
  "run.log_seconds",
  "run.eval_tasks",
  "run.eval_trials",
  "actor.num_actors",
  *(f"cluster.{field.name}" for field in dataclasses.fields(ClusterConfig)),
  "device.memory_fraction",
)
