"""Pages without a browser, and the tasks that their tests play."""

import functools
import json
import queue

from absl.testing import parameterized

from adaland.envs.tasks import json_files
from adaland.envs.tasks.task import Task
from adaland.launch.studio import catalogue, client, messages

# Only the hidden rule mentions anything purple.
TASK = Task.of(
  goal="near(player1, black cube)",
  objects=[
    {"type": "black cube", "at": [[1.5, 0]]},
    {"type": "yellow sphere", "at": [[-2.5, 0.5]]},
  ],
  at=(-1, 0),
  rules=["hold(player1, yellow sphere) -> purple wall"],
  hide_rules=[1],
  tiles=(6, 2),  # So narrow that one can't walk past the cube.
  trials=2,
  trial_seconds=4,
  name="walk",
)
TEXT = json.dumps(json_files.to_json(TASK))
TWO = json.dumps(
  json_files.to_json(
    Task.of(
      goal=["near(player1, player2)", "not near(player1, player2)"],
      objects=[],
      at=[(-1, 0), (1, 0)],
      tiles=(5, 5),
      trials=1,
      trial_seconds=2,
    )
  )
)
# The expert understands the goal of player 1.
WITH_EXPERT = json.dumps(
  json_files.to_json(
    Task.of(
      goal=["near(player1, black cube)", "near(player2, black cube)"],
      objects=[{"type": "black cube", "at": [[1.5, 0]]}],
      at=[(-1.5, 0), (2, 0)],
      tiles=(5, 5),
      trials=1,
      trial_seconds=4,
    )
  )
)
SECONDS = 240


class Page:
  """A page without a browser."""

  def __init__(self, shared):
    self.all = []
    self.queue = queue.Queue()
    self._client = shared.connect(self._get)

  def _get(self, kind, **fields):
    text = messages.encode(kind, **fields)
    self.all.append(text)
    self.queue.put(json.loads(text))

  def send(self, message):
    if isinstance(message, messages.Act):
      self._client.act(message)
    else:
      self._client.handle(message)

  def get(self, kind):
    """Returns the next message of a type; fails on error messages before it."""
    while True:
      message = self.queue.get(timeout=SECONDS)
      if message["type"] == kind:
        return message
      assert message["type"] != "error", message["text"]

  def ask(self, message, kind):
    self.send(message)
    return self.get(kind)

  def close(self):
    self._client.close()


@functools.cache
def _known() -> catalogue.Catalogue:
  """Returns the catalogue, whose agents all tests of a process share."""
  return catalogue.Catalogue()


class PageTest(parameterized.TestCase):
  """A test of messages between pages and a server's part in this process."""

  def setUp(self):
    super().setUp()
    self.known = _known()
    self.shared = client.Shared(self.known, pace=0.0)

  def page(self):
    page = Page(self.shared)
    self.addCleanup(page.close)
    return page

  def play(self, page, wish):
    """Plays a game to its end; returns its frames and the rewards."""
    page.get("ready")
    page.send(wish)
    page.send(messages.Go())
    frames = []
    while True:
      message = page.queue.get(timeout=SECONDS)
      if message["type"] == "over":
        return frames, message["rewards"]
      self.assertNotEqual(message["type"], "error", message)
      if message["type"] == "frame":
        frames.append(message)

  def frames(self, page):
    """Returns the first lane's frames, and the last message of them."""
    found = []
    while True:
      more = page.get("frames")
      found += more["frames"][0]
      if len(found) == more["total"]:
        return found, more
