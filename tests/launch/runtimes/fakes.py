"""A runtime with fake roles, whose clock a test sets."""

from adaland.launch.roles import role
from adaland.launch.runtimes import runtime

COMMON = {"incarnation": "a", "pid": 1, "host": "h", "memory_mb": 1.0}


class FakeRuntime:
  """See `runtime.Runtime`.

  Args:
    answers: For each role's name, a function that returns its stats.

  Attributes:
    events: Events that the next polls return, a list for each.
    running: Names of the roles that were started and not removed.
    stopped: Names of the roles that were told to stop.
    restarted: Names of the roles that were restarted, in order.
    removed: Names of the roles that were removed, in order.
    polled: Called with the number of each poll.
  """

  name = "fake"
  look_seconds = 0.0
  restarts_alone = True

  def __init__(self, answers=None, polled=lambda number: None):
    self._answers = answers or {}
    self._polled = polled
    self._polls = 0
    self.events: list[list[runtime.Event]] = []
    self.specs = {}
    self.running = []
    self.stopped = set()
    self.restarted = []
    self.removed = []
    self.opened = 0
    self.closed = 0

  def setup(self, experiment, folder):
    return role.Setup(experiment, folder, restarts_alone=self.restarts_alone)

  def open(self):
    self.opened += 1

  def describe(self):
    return "nothing"

  def accelerators(self):
    return 0

  def start(self, specs):
    for spec in specs:
      self.specs[spec.name] = spec
      self.running.append(spec.name)

  def stop(self, name):
    self.stopped.add(name)

  def restart(self, name):
    self.restarted.append(name)

  def remove(self, name):
    self.running.remove(name)
    self.removed.append(name)

  def poll(self, seconds: float) -> list[runtime.Event]:
    self._polled(self._polls)
    self._polls += 1
    if self.events:
      return self.events.pop(0)
    found: list[runtime.Event] = []
    for name in self.running:
      stats = self._answers.get(name, dict)()
      found.append(runtime.Heartbeat(name, COMMON | stats))
      if name in self.stopped:
        found.append(runtime.Ended(name, None))
    return found

  def close(self):
    self.closed += 1
