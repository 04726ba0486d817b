"""A game that people play in the browser, in real time.

A thread steps the environment every 2/15 s with the latest wish of each person.
The simulation does not wait: without new input, a person's last wish holds.
"""

import base64
import contextlib
import dataclasses
import io
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from adaland.envs import constants, land
from adaland.envs.adaptors import first_person
from adaland.envs.tasks.task import Task
from adaland.launch import errors
from adaland.launch.evaluation import demo, policies
from adaland.launch.studio import frames, messages, steering, told

# Sends a message: its type and its fields.
Send = Callable[..., None]

_NOTHING = messages.Act()


@dataclasses.dataclass
class Seat:
  """A person in a game.

  Attributes:
    player: Index of the player.
    send: Sends a message to the person's page.
    pictures: True if the page needs pictures.
    wish: The person's current input.
  """

  player: int
  send: Send
  pictures: bool = False
  wish: messages.Act = _NOTHING


class Game:
  """One episode of a task.

  Attributes:
    task: The task.
    seed: Seed of the environment.
    over: True once the game has ended.
    pauses: Number of pauses during the trials.
    late: Number of steps that started more than a step too late.
  """

  def __init__(
    self,
    task: Task,
    seed: int,
    expert: bool = False,
    pace: float = constants.STEP_SECONDS,
  ):
    """Initializes the game, which starts when all seats are taken.

    Args:
      task: The task.
      seed: Seed of the environment.
      expert: True if the scripted expert plays player 1 of two.
      pace: Seconds between steps.

    Raises:
      UserError: If the task does not fit.
    """
    players = len(task.players)
    if expert and players == 1:
      raise errors.UserError("partner: expert is allowed with two players only")
    if expert:
      _check_expert(task)
    config = dataclasses.replace(land.LandConfig(), num_players=players)
    with errors.user_input(task.name):
      self._world = land.Land(1, config, lambda _: task, seed)
      self._step = self._world.reset()
    self.task, self.seed, self._pace = task, seed, pace
    self.over, self.pauses, self.late = False, 0, 0
    # Rewards of both players in the trials that were played to their end.
    self._rewards: list[np.ndarray] = []
    self._expert = policies.Expert(self._world) if expert else None
    self._seats: list[Seat] = []
    self._actions: list[np.ndarray] = []
    self._going = threading.Event()
    # Held by the thread that announces the end.
    self._ending = threading.Lock()
    self._thread = threading.Thread(target=self._play, daemon=True)

  @property
  def rewards(self) -> list[float]:
    """Player 1's rewards in the trials played to their end, seconds."""
    return self._rewards_of(0)

  def _rewards_of(self, player: int) -> list[float]:
    return [float(rewards[player]) for rewards in self._rewards]

  @property
  def free_player(self) -> int | None:
    """Index of the next player without a person; None if all are taken."""
    player = len(self._seats) + (self._expert is not None)
    return player if player < len(self.task.players) else None

  def join(self, send: Send, pictures: bool = False) -> Seat:
    """Gives a person a seat and shows the start.

    Raises:
      UserError: If all seats are taken, or the seat can't have pictures.
    """
    player = self.free_player
    if player is None or self.over:
      raise errors.UserError("the game has no free player")
    if pictures and player:
      raise errors.UserError("without WebGL a page can show player 1 only")
    seat = Seat(player, send, pictures)
    self._seats.append(seat)
    view = self._world.state_view(0)
    send(
      "world",
      told=told.task(self.task, player),
      ground=frames.ground(view.heights, view.ramps, self.task.world.seed),
      seed=self.seed,
      waiting=self.free_player is not None,
    )
    self._show(seat, np.zeros(len(self.task.players)), view)
    if self.free_player is None:
      for each in self._seats:
        each.send("ready")
      self._thread.start()
    return seat

  def go(self) -> None:
    """Starts or resumes time, for both players, once both are there."""
    if self.over or self.free_player is not None:
      return
    self._going.set()
    for seat in self._seats:
      seat.send("going")

  def pause(self) -> None:
    """Pauses time."""
    if self._going.is_set() and not self.over:
      self.pauses += 1
      self._going.clear()
      for seat in self._seats:
        seat.send("paused")

  def stop(self, leaving: Seat | None = None) -> None:
    """Ends the game, waits for its thread, and tells the other player.

    Args:
      leaving: The person who stops it, whose page need not be told.
    """
    self.over = True
    self._going.set()
    if (
      self._thread.is_alive() and self._thread is not threading.current_thread()
    ):
      self._thread.join()
    self._tell_end(leaving)

  def demonstration(self) -> demo.Demo:
    """Returns the completed trials as a demonstration.

    Raises:
      UserError: If no trial was completed, or the game has two players.
    """
    if len(self.task.players) > 1:
      raise errors.UserError(
        "a demonstration has one player, this game has two"
      )
    rewards = self.rewards
    if not rewards:
      raise errors.UserError(
        "a demonstration has at least one trial; none was played to its end"
      )
    count = len(rewards) * self.task.trial_steps
    return demo.Demo(
      self.task,
      self.seed,
      np.stack(self._actions[:count]),
      np.array(rewards, np.float32),
    )

  def _play(self) -> None:
    try:
      self._run()
    except messages.GoneError:
      pass  # This ends the game for both players.
    except Exception as error:
      traceback.print_exc()
      text = f"a defect of the studio: {errors.describe(error)}"
      with contextlib.suppress(messages.GoneError):
        for seat in self._seats:
          seat.send("error", text=errors.one_line(text))
    finally:
      self.over = True

  def _run(self) -> None:
    reward = np.zeros(len(self.task.players))
    due = time.monotonic()
    while True:
      if not self._going.is_set():
        self._going.wait()
        due = time.monotonic()
      if self.over:
        return
      due += self._pace
      now = time.monotonic()
      if now > due + self._pace:
        self.late += 1
        due = now
      time.sleep(max(0.0, due - now))
      numbers = [seat.wish.number for seat in self._seats]
      self._step = self._world.step(self._action()[None])
      rewards = np.reshape(self._step.reward, -1)
      reward = reward + rewards
      view = self._world.state_view(0)
      if self._step.trial_last[0]:
        self._rewards.append(reward)
        reward = np.zeros_like(reward)
      for seat, number in zip(self._seats, numbers, strict=True):
        self._show(seat, rewards, view, number)
      if self._step.last[0]:
        self._tell_end()
        return

  def _tell_end(self, leaving: Seat | None = None) -> None:
    """Tells everybody except `leaving` that the game is over, once."""
    if not self._ending.acquire(blocking=False):
      return
    for seat in self._seats:
      if seat is not leaving:
        with contextlib.suppress(messages.GoneError):
          seat.send(
            "over",
            rewards=self._rewards_of(seat.player),
            pauses=self.pauses,
            late=self.late,
          )

  def _action(self) -> np.ndarray:
    """Returns the actions of all players, [P, A]."""
    view = self._world.state_view(0)
    actions = np.tile(
      np.array(constants.NOOP_ACTION, np.int32), (len(self.task.players), 1)
    )
    if self._expert is not None:
      actions[0] = self._expert.act(self._step)[0]
    for seat in self._seats:
      player = seat.player
      actions[player] = steering.action(
        seat.wish, float(view.yaw[player]), float(view.pitch[player])
      )
    if len(actions) == 1:
      self._actions.append(actions[0])
    return actions

  def _show(
    self,
    seat: Seat,
    rewards: np.ndarray,
    view: land.WorldView,
    number: int = 0,
  ) -> None:
    """Sends a state to a person, without hidden information."""
    shown: dict[str, Any] = frames.frame(view)
    del shown["v"]
    if seat.pictures:
      shown["picture"] = self._picture()
    seat.send(
      "frame",
      **shown,
      n=number,
      r=round(float(rewards[seat.player]), 3),
      sums=np.round(view.trial_rewards[:, seat.player], 2).tolist(),
      end=bool(self._step.trial_last[0]),
    )

  def _picture(self) -> str:
    """Returns the first player's view as a JPEG in base64."""
    out = io.BytesIO()
    Image.fromarray(first_person.pictures(self._world)[0]).save(out, "JPEG")
    return base64.b64encode(out.getvalue()).decode()


def _check_expert(task: Task) -> None:
  """Raises UserError if the expert can't be player 1 of a task of two."""
  literals = [task.players[0].goal, *(rule.condition for rule in task.rules)]
  for literal in literals:
    if not literal.object_types:
      raise errors.UserError(
        f"partner: the expert does not understand '{literal}', allowed: "
        "literals with an object"
      )
