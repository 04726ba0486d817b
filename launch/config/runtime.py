"""Settings of a run's length and of its processes."""

import dataclasses
import math

from adaland.agent.validation import require
from adaland.envs import constants


@dataclasses.dataclass(frozen=True)
class ActorConfig:
  """The acting processes.

  Attributes:
    num_actors: Number of processes.
    envs_per_actor: Environments that a process steps as one batch.
    unroll_length: Steps of a learner example. If no episode is longer, each
      unroll is a whole episode and is learned from its start; shorter unrolls
      carry the memory that the actor had at their first step.
    params_poll_seconds: Time between an actor's requests for new parameters.
  """

  num_actors: int = 1
  envs_per_actor: int = 16
  unroll_length: int = 80
  params_poll_seconds: float = 0.5

  def __post_init__(self):
    require(
      1 <= self.num_actors <= 1024, "num_actors", self.num_actors, "1 to 1024"
    )
    require(
      1 <= self.envs_per_actor <= 65_536,
      "envs_per_actor",
      self.envs_per_actor,
      "1 to 65536",
    )
    require(
      2 <= self.unroll_length <= 100_000,
      "unroll_length",
      self.unroll_length,
      "2 to 100000",
    )
    require(
      0 < self.params_poll_seconds <= 60,
      "params_poll_seconds",
      self.params_poll_seconds,
      "above 0, to 60",
    )


@dataclasses.dataclass(frozen=True)
class RunConfig:
  """The length of a run, and its outputs.

  A run without a bound may not have a schedule: its progress is always 0.

  Attributes:
    seed: Seed of all random numbers.
    max_steps: Environment steps after which the run ends; 0 for no bound.
    max_minutes: Minutes of training after which the run ends, counted from the
      first environment step and over all starts of the run; 0 for no bound.
    publish_updates: Learner updates between two publications of parameters.
    checkpoint_minutes: Time between checkpoints; the last is at the end.
    log_seconds: Time between rows of metrics.
    eval_tasks: Held-out tasks of the table at the end; 0 for no table.
    eval_trials: Numbers of trials in that table, sorted and without duplicates.
    start_from: Agent whose parameters the run starts from: a directory of a run
      or of `adaland export`, recorded as an absolute path, or `agent:NAME` for
      one that comes with the package; empty for random initial parameters.
  """

  seed: int = 0
  max_steps: int = 0
  max_minutes: float = 60.0
  publish_updates: int = 1
  checkpoint_minutes: float = 5.0
  log_seconds: float = 5.0
  eval_tasks: int = 20
  eval_trials: tuple[int, ...] = (1, 2, 3)
  start_from: str = ""

  def __post_init__(self):
    for name in ("seed", "max_steps", "max_minutes", "eval_tasks"):
      value = getattr(self, name)
      require(
        value >= 0 and math.isfinite(value), name, value, "a number from 0"
      )
    require(self.seed < 2**31, "seed", self.seed, "below 2**31")
    require(
      self.eval_tasks <= 100_000, "eval_tasks", self.eval_tasks, "0 to 100000"
    )
    require(
      self.publish_updates >= 1,
      "publish_updates",
      self.publish_updates,
      "at least 1",
    )
    for name in ("checkpoint_minutes", "log_seconds"):
      value = getattr(self, name)
      require(value > 0, name, value, "above 0")
    # Caches keyed by the config need a hash, which lists lack.
    object.__setattr__(self, "eval_trials", tuple(self.eval_trials))
    require(
      bool(self.eval_trials)
      and all(1 <= k <= constants.MAX_TRIALS for k in self.eval_trials),
      "eval_trials",
      self.eval_trials,
      f"numbers from 1 to {constants.MAX_TRIALS}",
    )
    in_order = tuple(sorted(set(self.eval_trials)))
    object.__setattr__(self, "eval_trials", in_order)

  def progress(self, steps: float, seconds: float) -> float:
    """Returns the share of the run that is over, 0 to 1.

    It is counted in steps if `max_steps` bounds the run, else in time; it is 0
    without a bound.

    Args:
      steps: Environment steps so far.
      seconds: Seconds of training so far.
    """
    if self.max_steps:
      return min(1.0, steps / self.max_steps)
    if self.max_minutes:
      return min(1.0, seconds / (60 * self.max_minutes))
    return 0.0


@dataclasses.dataclass(frozen=True)
class ClusterConfig:
  """Resources of the roles, the evaluator, and hang timeouts.

  The resources that roles request only decide on which machine they run, under
  `--launcher=ray`. A cluster that a run starts for itself has one machine,
  which runs all of them. `eval_minutes`, `eval_tasks` and `hung_seconds` also
  apply to `--launcher=local`.

  Attributes:
    num_learners: Processes that learn together, each on its own machine if
      there are enough; each takes its share of every batch.
    actor_cpus: Processors that an actor requests.
    learner_cpus: Processors that a learner requests.
    learner_gpus: Accelerators that a learner requests; None means one, if the
      cluster has one for each.
    replay_cpus: Processors of the replay server, on the first learner's
      machine.
    evaluator_cpus: Processors that the evaluator requests.
    eval_minutes: Time between evaluations; 0 for no evaluator.
    eval_tasks: Held-out tasks that an evaluation plays.
    ready_seconds: How long to wait for machines at the start.
    hung_seconds: Seconds without a heartbeat after which a role is killed and
      restarted; doubled after each kill that no heartbeat follows. Under
      `--launcher=local` these are the actors, the evaluator and the Reverb
      server.
  """

  num_learners: int = 1
  actor_cpus: float = 1.0
  learner_cpus: float = 1.0
  learner_gpus: int | None = None
  replay_cpus: float = 1.0
  evaluator_cpus: float = 1.0
  eval_minutes: float = 5.0
  eval_tasks: int = 4
  ready_seconds: float = 60.0
  hung_seconds: float = 60.0

  def __post_init__(self):
    require(
      1 <= self.num_learners <= 1024,
      "num_learners",
      self.num_learners,
      "1 to 1024",
    )
    for name in (
      "actor_cpus",
      "learner_cpus",
      "learner_gpus",
      "replay_cpus",
      "evaluator_cpus",
      "eval_minutes",
    ):
      value = getattr(self, name)
      require(
        value is None or (value >= 0 and math.isfinite(value)),
        name,
        value,
        "a number from 0",
      )
    require(
      1 <= self.eval_tasks <= 10_000,
      "eval_tasks",
      self.eval_tasks,
      "1 to 10000",
    )
    for name in ("ready_seconds", "hung_seconds"):
      value = getattr(self, name)
      require(1 <= value < math.inf, name, value, "a number of seconds from 1")


@dataclasses.dataclass(frozen=True)
class DeviceConfig:
  """One process on one device, `--launcher=device`.

  Attributes:
    memory_fraction: Fraction of an accelerator's memory that JAX allocates at
      its start; physics on the same accelerator needs the rest.
  """

  memory_fraction: float = 0.6

  def __post_init__(self):
    require(
      0.05 <= self.memory_fraction <= 0.95,
      "memory_fraction",
      self.memory_fraction,
      "0.05 to 0.95",
    )
