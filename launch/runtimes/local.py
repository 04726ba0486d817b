"""The runtime for one machine: threads of this process, and child processes.

The learner and the servers that it needs at every step are threads; actors
and the evaluator are children, which call them through a Unix socket.
"""

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from adaland.launch.config.experiment import ExperimentConfig
from adaland.launch.roles import factory, peer, role
from adaland.launch.run import heap, rundir
from adaland.launch.runtimes import (
  children,
  env_vars,
  program,
  runtime,
  socket_rpc,
)

_CHILD_MODULE = "adaland.launch.runtimes.local_main"
_CHILD_KINDS = ("actor", "evaluator")
# Time that threads have to end.
_JOIN_SECONDS = 30.0


class _Direct:
  """A role in this process; see `peer.Peer`."""

  def __init__(self, owner: "LocalRuntime", name: str):
    self._owner = owner
    self._name = name

  def call(self, method: str, *args: Any, timeout: float | None = None) -> Any:
    """See `Peer.call`; a call is never interrupted."""
    del timeout
    return self._owner.call(self._name, method, args)


class _Thread:
  """A role that runs in a thread of this process."""

  def __init__(self, made: role.Role, events: "queue.Queue[runtime.Event]"):
    self.role = made
    self._events = events
    self.thread = threading.Thread(
      target=self._run, name=made.name, daemon=True
    )
    self.thread.start()

  def _run(self) -> None:
    failure = self.role.run()
    self._events.put(runtime.Ended(self.role.name, failure))


class _Process:
  """A role that runs in a child process.

  Attributes:
    child: The child.
    over: True if the end of the current process needs no further handling.
    stopping: True if the child was told to end.
    stats: The child's last answer; None once it is taken.
  """

  def __init__(self, child: children.Child):
    self.child = child
    self.over = False
    self.stopping = False
    self.stats: dict[str, Any] | None = None

  def start(self) -> None:
    """Replaces a process that has ended by another."""
    self.over = False
    self.stats = None
    self.child.kill()
    self.child.start()


class LocalRuntime:
  """See `runtime.Runtime`.

  Args:
    make_role: Makes a role of this process; see `factory.make`.
    child_module: The module that a child runs; see `local_main`.
  """

  name = "local"
  look_seconds = 0.25

  def __init__(
    self,
    make_role: Callable[..., role.Role] = factory.make,
    child_module: str = _CHILD_MODULE,
  ):
    self._make_role = make_role
    self._child_module = child_module
    self._events: queue.Queue[runtime.Event] = queue.Queue()
    self._threads: dict[str, _Thread] = {}
    self._processes: dict[str, _Process] = {}
    self._store = socket_rpc.PickledStore()
    self._server: socket_rpc.Server | None = None
    self._closed = False
    self._stack = contextlib.ExitStack()

  def setup(self, experiment: ExperimentConfig, folder: str) -> role.Setup:
    """See `Runtime.setup`; there is one learner, whatever the config says."""
    self._setup = role.Setup(experiment, folder)
    return self._setup

  def open(self) -> None:
    """See `Runtime.open`."""
    # Imported before there are threads: TensorFlow is hidden while rlax is
    # imported, and Reverb's import in another thread must still find it.
    import adaland.agent.learner  # noqa: F401

    heap.share()
    config = self._setup.experiment
    num_actors = config.actor.num_actors
    self._stack.enter_context(env_vars.learner_here(num_actors))
    self._server = socket_rpc.Server(self.call)

  def describe(self) -> str:
    """See `Runtime.describe`."""
    return "this machine"

  def accelerators(self) -> int:
    """See `Runtime.accelerators`; the learner uses whatever JAX finds."""
    return 0

  def in_process(self, name: str) -> role.Role:
    """Returns a role of this process."""
    return self._threads[name].role

  def pid(self, name: str) -> int:
    """Returns the process of a role that is a child."""
    return self._processes[name].child.process.pid

  def call(self, name: str, method: str, args: tuple[Any, ...]) -> Any:
    """Serves a call from one role to another.

    Args:
      name: The called role; `socket_rpc.RUNTIME` for the runtime.
      method: The method's name.
      args: Its arguments.

    Raises:
      ConnectionError: If there is no such role now.
    """
    if name == socket_rpc.RUNTIME:
      return {"heartbeat": self._heartbeat, "ended": self._ended}[method](*args)
    thread = self._threads.get(name)
    if thread is None or self._closed:
      raise ConnectionError(f"{method}: the role is gone")
    return getattr(thread.role, method)(*args)

  def _heartbeat(self, name: str, stats: dict[str, Any]) -> None:
    """Stores a child's answer, unless the child has been replaced."""
    process = self._processes.get(name)
    if process is not None and stats["pid"] == process.child.process.pid:
      process.stats = stats

  def _ended(self, name: str, pid: int, failure: role.Failure | None) -> None:
    """Handles the end of a child's `run`."""
    process = self._processes.get(name)
    if process is not None and pid == process.child.process.pid:
      process.over = True
      self._events.put(runtime.Ended(name, failure))

  def start(self, specs: Sequence[program.RoleSpec]) -> None:
    """See `Runtime.start`."""
    for spec in specs:
      if spec.name.split()[0] in _CHILD_KINDS:
        self._processes[spec.name] = _Process(self._start_child(spec))
      else:
        self._start_thread(spec.name)

  def _start_thread(self, name: str) -> None:
    made = self._make_role(name, self._setup, self._connect, self._store)
    self._threads[name] = _Thread(made, self._events)

  def _connect(self, name: str) -> peer.Peer:
    return _Direct(self, name)

  def _start_child(self, spec: program.RoleSpec) -> children.Child:
    assert self._server is not None
    run = rundir.RunDir(self._setup.folder)
    return children.Child(
      self._child_module,
      [
        f"--workdir={self._setup.folder}",
        f"--control={self._server.address}",
        f"--role={spec.name}",
      ],
      # Any user can read a process's arguments, but not its environment.
      {**spec.env, socket_rpc.KEY_VARIABLE: self._server.key.hex()},
      str(run.logs / (spec.name.replace(" ", "_") + ".log")),
    )

  def stop(self, name: str) -> None:
    """See `Runtime.stop`; a child has nothing to finish and is killed."""
    if name in self._threads:
      self._threads[name].role.stop()
      return
    process = self._processes[name]
    process.stopping = True
    process.child.process.kill()

  def restart(self, name: str) -> None:
    """See `Runtime.restart`."""
    if name in self._threads:
      self._start_thread(name)
    elif self._processes[name].over:
      self._processes[name].start()
    else:
      self._processes[name].child.kill()  # `poll` starts another.
      return
    self._events.put(runtime.Died(name))

  def remove(self, name: str) -> None:
    """See `Runtime.remove`."""
    self._processes.pop(name).child.kill()

  def poll(self, seconds: float) -> list[runtime.Event]:
    """See `Runtime.poll`."""
    assert self._server is not None
    self._server.check()
    events = []
    with contextlib.suppress(queue.Empty):
      events.append(self._events.get(timeout=seconds))
      while True:
        events.append(self._events.get_nowait())
    for name, thread in self._threads.items():
      if thread.thread.is_alive():
        events.append(runtime.Heartbeat(name, thread.role.stats()))
    for name, process in self._processes.items():
      events += self._look(name, process)
    return events

  def _look(self, name: str, process: _Process) -> list[runtime.Event]:
    """Returns a child's events; starts another if it was killed."""
    code = process.child.process.poll()
    if process.over:
      return []
    if code is not None and process.stopping:
      process.over = True
      return [runtime.Ended(name, None)]
    if code is not None and code >= 0:
      process.over = True
      words = process.child.last_words()
      return [runtime.Ended(name, role.Failure(words, False, False))]
    if code is not None:
      process.start()
      return [runtime.Died(name)]
    stats, process.stats = process.stats, None
    return [] if stats is None else [runtime.Heartbeat(name, stats)]

  def close(self) -> None:
    """See `Runtime.close`."""
    for process in self._processes.values():
      process.child.kill()
    deadline = time.monotonic() + _JOIN_SECONDS
    # The learner first, since it calls the others.
    for thread in reversed(self._threads.values()):
      thread.role.abort()
      thread.thread.join(max(0.0, deadline - time.monotonic()))
    self._closed = True
    if self._server is not None:
      self._server.close()
    self._stack.close()
