"""The roles of a run and the resources that each requests."""

from typing import NamedTuple

from adaland.launch import errors
from adaland.launch.roles import factory, role
from adaland.launch.runtimes import env_vars

# In addition to its own work, a role answers `stats` and calls from its peers.
_CALLS = 8
# Calls that each worker may make to the leading learner at a time.
_WORKER_CALLS = 3


class RoleSpec(NamedTuple):
  """A role to be started.

  Attributes:
    name: Its name; see `roles.factory.make`.
    cpus: Processors that it requests on a machine of a cluster.
    gpus: Accelerators that it requests.
    env: Environment variables of its process.
    site: Rank of the learner whose machine it must share; None for any machine.
    calls: Number of calls that it must be able to serve at once.
  """

  name: str
  cpus: float
  gpus: int
  env: dict[str, str]
  site: int | None = None
  calls: int = _CALLS


def check(setup: role.Setup) -> None:
  """Checks that the roles that a config requests work together here.

  Raises:
    UserError: If they don't.
  """
  with errors.user_input():
    has_server = factory.has_replay_server(setup)
  if setup.num_learners > 1 and not has_server:
    raise errors.UserError(
      f"cluster.num_learners is {setup.num_learners}, allowed without a Reverb "
      "server (replay.kind): 1"
    )


class Program:
  """The roles of a run.

  Args:
    setup: The run.
    accelerators: Number of accelerators of the cluster.

  Attributes:
    roles: All roles except actors; those that others need come first.
  """

  def __init__(self, setup: role.Setup, accelerators: int):
    self._setup = setup
    self._config = setup.experiment.cluster
    self._accelerators = accelerators
    self.roles = tuple(self._roles())

  def _roles(self) -> list[RoleSpec]:
    off = env_vars.NO_ACCELERATOR
    found = [
      RoleSpec("parameters", 0, 0, off, site=0),
      RoleSpec("curriculum", 0, 0, off, site=0),
    ]
    if factory.has_replay_server(self._setup):
      cpus = self._config.replay_cpus
      found.append(RoleSpec("replay", cpus, 0, off, site=0))
    found.append(self._learner("learner", 0))
    found += [
      self._learner(factory.worker_name(rank), rank)
      for rank in range(1, self._setup.num_learners)
    ]
    if self._config.eval_minutes:
      cpus = self._config.evaluator_cpus
      found.append(RoleSpec("evaluator", cpus, 0, env_vars.actor()))
    return found

  def _learner(self, name: str, rank: int) -> RoleSpec:
    gpus = self._learner_gpus()
    # Several learners may share a machine, but not an accelerator.
    alone = self._setup.num_learners == 1 and not self._setup.many_machines
    return RoleSpec(
      name,
      self._config.learner_cpus,
      gpus,
      env_vars.learner() | ({} if gpus or alone else env_vars.NO_ACCELERATOR),
      site=rank,
      calls=_CALLS + _WORKER_CALLS * (self._setup.num_learners - 1),
    )

  def actor(self, index: int) -> RoleSpec:
    """Returns an actor, by its number from 0."""
    return RoleSpec(
      f"actor {index}",
      self._config.actor_cpus,
      0,
      env_vars.actor(),
    )

  def _learner_gpus(self) -> int:
    if self._config.learner_gpus is not None:
      return self._config.learner_gpus
    return int(self._accelerators >= self._setup.num_learners)
