"""The Ray runtime: each role is a Ray actor with its own process."""

import os
import pathlib
import secrets
from collections.abc import Sequence
from typing import Any

from adaland.launch import errors
from adaland.launch.config.experiment import ExperimentConfig
from adaland.launch.roles import factory, role
from adaland.launch.runtimes import program, ray_cluster, ray_peer, runtime

_ROOT = str(pathlib.Path(__file__).parents[3])


class Host:
  """The Ray actor that runs one role.

  Args:
    name: The role's name.
    setup: The run.
  """

  def __init__(self, name: str, setup: role.Setup):
    if setup.many_machines:
      import ray

      address = ray.util.get_node_ip_address()
      setup = setup._replace(address=address)
    self._role = factory.make(
      name, setup, ray_peer.RayPeer, ray_peer.RayStore()
    )

  def run(self) -> role.Failure | None:
    """See `Role.run`."""
    try:
      role.log_to_file(self._role.setup.folder, self._role.name)
    except OSError as error:
      return role.Failure(errors.describe_os_error(error), False, False)
    return self._role.run()

  def call(self, method: str, *args: Any) -> Any:
    """Calls a method of the role."""
    return getattr(self._role, method)(*args)


class _Actor:
  """A role's handle and the calls to it that are not answered yet."""

  def __init__(self, handle: Any):
    self.handle = handle
    self.running = handle.run.remote()
    self.asked: Any = None
    self.incarnation = ""


class RayRuntime:
  """See `runtime.Runtime`.

  Args:
    address: The cluster's address; empty for a cluster that ends with the run.
  """

  name = "ray"
  # An answer costs a role and this process a millisecond or two.
  look_seconds = 1.0

  def __init__(self, address: str = ""):
    self._address = address
    self._cluster: ray_cluster.Cluster | None = None
    self._actors: dict[str, _Actor] = {}
    # Scheduling strategies by rank of the learner whose machine it is.
    self._sites: list[Any] = []

  def setup(self, experiment: ExperimentConfig, folder: str) -> role.Setup:
    """See `Runtime.setup`."""
    self._setup = role.Setup(
      experiment,
      folder,
      num_learners=experiment.cluster.num_learners,
      restarts_alone=True,
      many_machines=bool(self._address),
    )
    return self._setup

  def open(self) -> None:
    """Starts Ray or joins a cluster; see `Runtime.open`."""
    # A new namespace per start, as an earlier start's roles may end slowly.
    self._cluster = ray_cluster.Cluster(
      self._address, f"adaland-{secrets.token_hex(6)}"
    )

  def describe(self) -> str:
    """See `Runtime.describe`."""
    return f"Ray at {self._address}" if self._address else "Ray on this machine"

  def accelerators(self) -> int:
    """See `Runtime.accelerators`."""
    import ray

    return int(ray.cluster_resources().get("GPU", 0))

  def start(self, specs: Sequence[program.RoleSpec]) -> None:
    """See `Runtime.start`."""
    if self._setup.many_machines and not self._sites:
      self._sites = self._reserve([s for s in specs if s.site is not None])
    for spec in specs:
      self._actors[spec.name] = _Actor(self._remote(spec))

  def _reserve(self, specs: Sequence[program.RoleSpec]) -> list[Any]:
    """Reserves room for the learners, the first with the replay server.

    They get different machines if there are enough.
    """
    import ray

    bundles = []
    for site in range(self._setup.num_learners):
      here = [spec for spec in specs if spec.site == site]
      wanted = {
        "CPU": sum(float(spec.cpus) for spec in here),
        "GPU": sum(float(spec.gpus) for spec in here),
      }
      bundles.append({name: n for name, n in wanted.items() if n})
    bundles = [bundle for bundle in bundles if bundle]
    if not bundles:
      return []
    group = ray.util.placement_group(bundles, strategy="SPREAD")
    seconds = self._setup.experiment.cluster.ready_seconds
    if not group.wait(seconds):
      first, *others = (
        " and ".join(f"{n:g} {name}" for name, n in bundle.items())
        for bundle in bundles
      )
      also = f", or others lack {others[0]} each" if others else ""
      raise errors.UserError(
        f"no machine of the cluster has {first} for the learner and its "
        f"replay server{also} (waited {seconds:g} s; "
        f"{ray_cluster.resources()}); see cluster.learner_cpus, "
        "cluster.learner_gpus, cluster.replay_cpus, cluster.num_learners"
      )
    make = ray.util.scheduling_strategies.PlacementGroupSchedulingStrategy
    return [
      make(group, placement_group_bundle_index=i) for i in range(len(bundles))
    ]

  def _remote(self, spec: program.RoleSpec) -> Any:
    """Makes the Ray actor that runs a role and keeps it alive."""
    import ray

    more = {}
    if spec.name.startswith("actor"):
      more["scheduling_strategy"] = "SPREAD"
    elif spec.site is not None and spec.site < len(self._sites):
      more["scheduling_strategy"] = self._sites[spec.site]
    # PYTHONPATH finds a user's own parts before a checkout's folders with the
    # same names, such as `agent`.
    path = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), _ROOT]))
    host = ray.remote(Host).options(
      name=spec.name,
      # On a single machine, room does not decide where roles run.
      num_cpus=spec.cpus if self._setup.many_machines else 0,
      num_gpus=spec.gpus,
      max_restarts=-1,
      max_task_retries=-1,
      max_concurrency=spec.calls,
      # Otherwise Ray's control store records the last 100,000 calls, for a
      # dashboard that is not there, at a cost in memory and time.
      enable_task_events=False,
      runtime_env={"env_vars": {"PYTHONPATH": path, **spec.env}},
      **more,
    )
    return host.remote(spec.name, self._setup)

  def stop(self, name: str) -> None:
    """See `Runtime.stop`."""
    self._actors[name].handle.call.remote("stop")

  def restart(self, name: str) -> None:
    """Kills the role's process, which Ray replaces by another."""
    import ray

    actor = self._actors[name]
    ray.kill(actor.handle, no_restart=False)
    if actor.running is None:
      actor.running = actor.handle.run.remote()

  def remove(self, name: str) -> None:
    """See `Runtime.remove`."""
    import ray

    ray.kill(self._actors.pop(name).handle)

  def poll(self, seconds: float) -> list[runtime.Event]:
    """See `Runtime.poll`."""
    import ray

    references = {}
    for name, actor in self._actors.items():
      if actor.asked is None:
        actor.asked = actor.handle.call.remote("stats")
      references[actor.asked] = name
      if actor.running is not None:
        references[actor.running] = name
    # `run` is not expected to answer, so this waits until the timeout.
    ready, _ = ray.wait(
      list(references), num_returns=len(references), timeout=seconds
    )
    events: list[runtime.Event] = []
    for reference in ready:
      name = references[reference]
      actor = self._actors[name]
      if reference is actor.asked:
        actor.asked = None
        events += self._answer(name, actor, reference)
      else:
        actor.running = None
        events.append(self._end(name, reference))
    return events

  def _answer(
    self, name: str, actor: _Actor, reference: Any
  ) -> list[runtime.Event]:
    """Returns the events of an answer to `stats`."""
    import ray

    try:
      stats = ray.get(reference)
    except ray.exceptions.RayError:
      return []  # The role is being restarted; it is asked again.
    before, actor.incarnation = actor.incarnation, stats["incarnation"]
    died = before not in ("", actor.incarnation)
    answered = runtime.Heartbeat(name, stats)
    return [runtime.Died(name), answered] if died else [answered]

  def _end(self, name: str, reference: Any) -> runtime.Event:
    """Returns the event of a `run` that has returned."""
    import ray

    try:
      return runtime.Ended(name, ray.get(reference))
    except ray.exceptions.RayError as error:
      reason = f"is gone: {errors.one_line(str(error))}"
      return runtime.Ended(name, role.Failure(reason, False, True))

  def close(self) -> None:
    """Ends Ray, or leaves the cluster; all roles end with it."""
    if self._cluster is not None:
      self._cluster.stop()
      self._cluster = None
