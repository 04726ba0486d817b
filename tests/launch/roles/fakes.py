"""Stand-ins for Ray and for peers, within one process."""

import contextlib
import sys
import time
import types
from typing import Any


@contextlib.contextmanager
def installed(ray: Any):
  """Makes `import ray` return a stand-in.

  mock's patch.dict would also remove modules first imported in the meantime,
  whose classes would then exist twice.
  """
  before = sys.modules.get("ray")
  sys.modules["ray"] = ray
  try:
    yield
  finally:
    del sys.modules["ray"]
    if before is not None:
      sys.modules["ray"] = before


class RayError(Exception):
  """An error of Ray."""


class GetTimeoutError(RayError, TimeoutError):
  """An answer did not come in time."""


class RayActorError(RayError):
  """An actor died."""


class ActorUnavailableError(RayActorError):
  """An actor is being restarted."""


class RayTaskError(RayError):
  """A call raised an error, the cause."""

  def __init__(self, cause):
    super().__init__(f"Traceback\nof {cause}")
    self.cause = cause


exceptions = types.SimpleNamespace(
  RayError=RayError,
  GetTimeoutError=GetTimeoutError,
  RayActorError=RayActorError,
  ActorUnavailableError=ActorUnavailableError,
  RayTaskError=RayTaskError,
)


class Reference:
  """A reference to the result of a call."""

  def __init__(self, value=None, ready=True):
    self.value = value
    self.ready = ready


class Method:
  """A method of a handle that returns given answers, in order."""

  def __init__(self, *answers):
    self.answers = list(answers)
    self.calls = []

  def remote(self, *args):
    self.calls.append(args)
    answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
    return answer if isinstance(answer, Reference) else Reference(answer)


class FakeRay:
  """The functions of Ray that are used."""

  def __init__(self):
    self.exceptions = exceptions
    self.killed = []
    self.actors = {}
    self.shutdowns = 0

  def get(self, reference, timeout=None):
    if isinstance(reference.value, Exception):
      raise reference.value
    if not reference.ready:
      raise GetTimeoutError(f"{timeout}")
    return reference.value

  def wait(self, references, num_returns, timeout):
    assert num_returns == len(references)
    ready = [reference for reference in references if reference.ready]
    return ready, [r for r in references if not r.ready]

  def kill(self, handle, no_restart=True):
    self.killed.append((handle, no_restart))

  def shutdown(self):
    self.shutdowns += 1

  def get_actor(self, name):
    return self.actors[name]


class Peer:
  """Calls straight into an object; see `peer.Peer`."""

  def __init__(self, role):
    self.role = role
    self.calls = []

  def call(self, method, *args, timeout=None):
    self.calls.append((method, *args))
    return getattr(self.role, method)(*args)


class Store:
  """A store of parameters whose references are numbers."""

  def __init__(self):
    self.kept = []
    self.lost = False
    self.failing = False
    self.failures = 0

  def put(self, params):
    if self.failing:
      self.failures += 1
      raise OSError("full")
    self.kept.append(params)
    return len(self.kept)

  def get(self, reference):
    return None if self.lost else self.kept[reference - 1]


def until(condition, seconds=20.0):
  """Waits until a condition holds."""
  deadline = time.monotonic() + seconds
  while not condition():
    assert time.monotonic() < deadline, "it took too long"
    time.sleep(0.002)
