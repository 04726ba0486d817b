"""Makes the roles of a run: what each takes, where it goes, what it knows."""

import pathlib
from collections.abc import Callable
from typing import Any

from agent.replay import factory
from launch import errors
from launch.ray_launcher import (
  actor_role,
  board,
  cluster,
  desk_role,
  evaluator_role,
  learner_role,
  peers,
  process,
  replay_role,
)
from launch.roles import process_env

# Besides its own work a role answers `stats` and what others ask of it.
_THREADS = 8
_NO_ACCELERATOR = {"JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": ""}
_ROOT = str(pathlib.Path(__file__).parents[2])


class Crew:
  """The handles of a run's roles.

  Args:
    setup: The run.

  Attributes:
    roles: Of all but the actors, by name.

  Raises:
    UserError: If no machine has room for the learner and what goes with it.
  """

  def __init__(self, setup: process.Setup):
    self._setup = setup
    self._config = setup.experiment.cluster
    self.roles: dict[str, Any] = {}
    self._group = self._place() if setup.many_machines else None
    self._board = self._make("board", board.Board, 0, _NO_ACCELERATOR)
    self._desk = self._make(
      "curriculum", desk_role.DeskRole, 0, _NO_ACCELERATOR, setup
    )
    kind = setup.experiment.replay.kind
    replay = None
    if factory.resolve_kind(kind) == "reverb":
      replay = self._make(
        "replay",
        replay_role.ReplayRole,
        self._config.replay_cpus,
        _NO_ACCELERATOR,
        setup,
        self._board,
      )
    learner = self._make(
      "learner",
      learner_role.LearnerRole,
      self._config.learner_cpus,
      {} if self._gpus() or not setup.many_machines else _NO_ACCELERATOR,
      setup,
      self._board,
      self._desk,
      replay,
      gpus=self._gpus(),
    )
    self._store = learner if replay is None else None
    if self._config.eval_minutes:
      self._make(
        "evaluator",
        evaluator_role.EvaluatorRole,
        self._config.evaluator_cpus,
        process_env.actor(),
        setup,
        self._board,
        together=False,
      )

  def actor(self, index: int) -> Any:
    """Makes an actor."""
    return self._remote(
      actor_role.ActorRole,
      f"actor {index}",
      self._config.actor_cpus,
      process_env.actor(),
      scheduling_strategy="SPREAD",
    ).remote(index, self._setup, self._board, self._desk, self._store)

  def _gpus(self) -> int:
    import ray

    if self._config.learner_gpus is not None:
      return self._config.learner_gpus
    return int(ray.cluster_resources().get("GPU", 0) >= 1)

  def _place(self) -> Any:
    """Takes room on one machine for the learner and the replay server."""
    import ray

    bundle = {
      "CPU": self._config.learner_cpus + self._config.replay_cpus,
      "GPU": float(self._gpus()),
    }
    bundle = {name: amount for name, amount in bundle.items() if amount}
    if not bundle:
      return None
    group = ray.util.placement_group([bundle], strategy="STRICT_PACK")
    if not group.wait(self._config.ready_seconds):
      wanted = " and ".join(f"{n:g} {name}" for name, n in bundle.items())
      raise errors.UserError(
        f"no machine of the cluster has {wanted} for the learner and its "
        f"replay server (waited {self._config.ready_seconds:g} s; "
        f"{cluster.resources()}); see cluster.learner_cpus, "
        "cluster.learner_gpus, cluster.replay_cpus"
      )
    return group

  def _make(
    self,
    name: str,
    make: Callable[..., Any],
    cpus: float,
    env: dict[str, str],
    *args: Any,
    gpus: int = 0,
    together: bool = True,
  ) -> peers.RayPeer:
    more: dict[str, Any] = {}
    if self._group is not None and together:
      import ray

      more["scheduling_strategy"] = (
        ray.util.scheduling_strategies.PlacementGroupSchedulingStrategy(
          self._group, placement_group_bundle_index=0
        )
      )
    remote = self._remote(make, name, cpus, env, gpus=gpus, **more)
    self.roles[name] = remote.remote(*args)
    return peers.RayPeer(name)

  def _remote(
    self,
    make: Callable[..., Any],
    name: str,
    cpus: float,
    env: dict[str, str],
    gpus: int = 0,
    **more: Any,
  ) -> Any:
    """A class of Ray's that makes a role and keeps it alive."""
    import ray

    return ray.remote(make).options(
      name=name,
      # On the one machine that there is, room is not what decides.
      num_cpus=cpus if self._setup.many_machines else 0,
      num_gpus=gpus,
      max_restarts=-1,
      max_task_retries=-1,
      max_concurrency=_THREADS,
      # Ray's control store would keep a record of each of the last 100,000
      # calls, for a dashboard that there is not: memory and time.
      enable_task_events=False,
      runtime_env={"env_vars": {"PYTHONPATH": _ROOT, **env}},
      **more,
    )
