"""One connected page: handles the page's messages."""

import base64
import contextlib
import dataclasses
import threading
import traceback
from collections.abc import Callable
from typing import Any

import numpy as np

from adaland.envs import constants, land
from adaland.envs.tasks import probes
from adaland.envs.tasks.task import Task
from adaland.launch import errors
from adaland.launch.evaluation import demo
from adaland.launch.studio import (
  catalogue,
  editing,
  game,
  messages,
  people,
  runs,
  watching,
)


class Shared:
  """The state that all pages share.

  Attributes:
    known: The tasks, players and runs.
    pace: Seconds between steps of a game.
    waiting: The game that waits for a second player, if any.
    compiling: Held while the first world is being compiled.
  """

  def __init__(
    self,
    known: catalogue.Catalogue,
    pace: float = constants.STEP_SECONDS,
  ):
    self.known, self.pace = known, pace
    self.waiting: game.Game | None = None
    self.compiling = threading.Lock()

  def lists(self) -> dict[str, Any]:
    """Returns the names that a page may request."""
    return self.known.lists()

  def connect(self, send: game.Send) -> "Client":
    """Connects a page."""
    return Client(self, send)

  def warm_up(self) -> None:
    """Compiles a world, so that the first game starts quickly."""
    task = dataclasses.replace(probes.load(probes.names()[0]), trials=2)
    with self.compiling:
      world = land.Land(1, land.LandConfig(), lambda _: task)
      world.reset()
      # Including the step at which a trial starts.
      for _ in range(task.trial_steps + 1):
        world.step(np.array([constants.NOOP_ACTION]))


class _Job:
  """A thread that can be told to stop."""

  def __init__(self, work: Callable[[Callable[[], bool]], None]):
    self._stopped = threading.Event()
    self._thread = threading.Thread(
      target=work, args=(self._stopped.is_set,), daemon=True
    )
    self._thread.start()

  def stop(self) -> None:
    """Stops the thread and waits for it."""
    self._stopped.set()
    self._thread.join()


class Client:
  """A connected page."""

  def __init__(self, shared: Shared, send: game.Send):
    """Initializes the client.

    Args:
      shared: The state that all pages share.
      send: Sends a message to the page: its type and its fields.
    """
    self._shared = shared
    self._send = send
    self._game: game.Game | None = None
    self._seat: game.Seat | None = None
    self._study: people.Study | None = None
    self._studied: game.Game | None = None
    self._job: _Job | None = None

  def act(self, message: messages.Act) -> None:
    """Takes the person's input; returns at once."""
    if self._seat is not None:
      self._seat.wish = message

  def handle(self, message: messages.Message) -> None:
    """Handles a message; reports errors to the page."""
    about = type(message).__name__.lower()
    self._guarded(about, lambda: self._handle(message))

  def close(self) -> None:
    """Stops everything that runs for this page."""
    self._stop()

  def _handle(self, message: messages.Message) -> None:
    known = self._shared.known
    match message:
      case messages.Card(task=text):
        self._send("card", **catalogue.card(known, text))
      case messages.Load(task=text):
        self._send("task", task=editing.whole(known.task(text)))
      case messages.Check(task=text):
        self._send("checked", **editing.check(known.task(text), known))
      case messages.Play():
        task = watching.with_trials(known.task(message.task), message.trials)
        with_expert = message.partner == "expert"
        self._play(task, message.seed, message.pictures, with_expert)
      case messages.Join(pictures=pictures):
        self._join(pictures)
      case messages.Go() if self._game is not None:
        self._game.go()
      case messages.Pause() if self._game is not None:
        self._game.pause()
      case messages.Stop():
        self._stop()
      case messages.Keep():
        self._keep()
      case messages.Watch():
        self._watch(message)
      case messages.Study(tasks=texts, trials=trials):
        self._stop()
        tasks = [known.task(text) for text in texts]
        self._study = people.Study(tasks, trials)
        faults = {name: known.fault(name, *tasks) for name in known.agents}
        self._send("study", count=len(tasks), faults=faults)
      case messages.Next(pictures=pictures):
        self._next(pictures)
      case messages.Result(agent=agent):
        self._result(agent)
      case messages.Run(name=name):
        self._send("curves", name=name, **runs.curves(known.run(name)))
      case messages.Recording(name=name, file=file, number=number):
        kept = runs.kept_episode(known.run(name), file, number)
        self._send("recording", **kept)

  def _stop(self) -> None:
    if self._job is not None:
      self._job.stop()
      self._job = None
    if self._game is not None:
      self._game.stop(self._seat)
      if self._shared.waiting is self._game:
        self._shared.waiting = None
    self._seat = None
    self._note()

  def _play(
    self, task: Task, seed: int, pictures: bool, expert: bool = False
  ) -> None:
    self._stop()
    if not self._shared.compiling.acquire(blocking=False):
      self._send("progress", text="compiling the world (the first time only)")
      self._shared.compiling.acquire()
    try:
      made = game.Game(task, seed, expert, self._shared.pace)
    finally:
      self._shared.compiling.release()
    self._seat = made.join(self._send, pictures)
    self._game = made
    if made.free_player is not None:
      self._shared.waiting = made

  def _join(self, pictures: bool) -> None:
    waiting = self._shared.waiting
    if waiting is None or waiting is self._game:
      raise errors.UserError("join: no game waits for a second player")
    self._stop()
    # A page that is refused leaves the seat to the next one.
    self._seat = waiting.join(self._send, pictures)
    self._game = waiting
    self._shared.waiting = None

  def _keep(self) -> None:
    if self._game is None:
      raise errors.UserError("keep: nothing was played")
    kept = self._game.demonstration()
    self._send(
      "kept",
      name=self._game.task.name or "demonstration",
      demo=base64.b64encode(demo.encode(kept)).decode(),
      rewards=np.round(kept.rewards, 3).tolist(),
    )

  def _watch(self, message: messages.Watch) -> None:
    self._stop()
    watched = watching.Watched(message, self._shared.known)
    self._begin(
      "watch", lambda is_stopped: watched.play(self._send, is_stopped)
    )

  def _next(self, pictures: bool) -> None:
    study = self._study
    if study is None:
      raise errors.UserError("next: no study was started")
    self._stop()
    task = study.next_task()
    if task is None:
      self._send("studied", count=study.begun)
      return
    try:
      self._play(task, study.begun, pictures)
    except BaseException:
      study.skip()
      raise
    self._studied = self._game

  def _note(self) -> None:
    """Records the rewards of the study's last task."""
    if self._study is not None and self._studied is not None:
      played, self._studied = self._studied, None
      self._study.record(played.rewards, played.pauses)

  def _result(self, agent: str) -> None:
    self._stop()
    study = self._study
    if study is None:
      raise errors.UserError("result: no study was started")

    def work(is_stopped: Callable[[], bool]) -> None:
      def say(text: str) -> None:
        if is_stopped():
          raise messages.GoneError("nobody waits for the result any more")
        self._send("progress", text=text)

      result = study.result(self._shared.known, agent, say)
      if not is_stopped():
        self._send("measured", result=result)

    self._begin("result", work)

  def _begin(
    self, about: str, work: Callable[[Callable[[], bool]], None]
  ) -> None:
    """Starts long work in its own thread."""
    self._job = _Job(
      lambda is_stopped: self._guarded(about, lambda: work(is_stopped))
    )

  def _guarded(self, about: str, work: Callable[[], None]) -> None:
    """Does some work; reports errors to the page, unless that has gone."""
    with contextlib.suppress(messages.GoneError):
      self._reported(about, work)

  def _reported(self, about: str, work: Callable[[], None]) -> None:
    try:
      with errors.user_input():
        work()
    except errors.UserError as error:
      self._send("error", text=errors.one_line(str(error)), about=about)
    except messages.GoneError:
      raise
    except Exception as error:
      traceback.print_exc()
      text = f"a defect of the studio: {errors.describe(error)}"
      self._send("error", text=errors.one_line(text), about=about)
