"""Tests of the server on a real port, with a back end without worlds."""

import asyncio
import contextlib
import http.client
import json
import socket
import threading
import time
import urllib.parse

from absl.testing import absltest, parameterized
from websockets import exceptions
from websockets.asyncio.client import connect
from websockets.typing import Origin

from adaland.launch import errors
from adaland.launch.studio import messages, server

_SECONDS = 30


class _Visitor:
  """A page's other side, which echoes its messages."""

  def __init__(self, send, heard):
    self._send, self._heard = send, heard

  def act(self, message):
    self._heard.append(message)

  def handle(self, message):
    self._heard.append(message)
    if isinstance(message, messages.Stop):
      self._send("large", text="x" * 10_000_000)
    self._send("heard", what=type(message).__name__)

  def close(self):
    self._heard.append("closed")


class _Backend:
  def __init__(self):
    self.heard = []

  def lists(self):
    return {"probes": ["a"]}

  def connect(self, send):
    return _Visitor(send, self.heard)

  def warm_up(self):
    self.heard.append("warm")


def _code(error):
  """Returns the code with which the server closed a connection."""
  assert error.rcvd is not None
  return error.rcvd.code


class ServerTest(parameterized.TestCase):
  def serve(self, load):
    """Serves in a thread until the test is over; returns port and token."""
    started, address = threading.Event(), []
    loop = asyncio.new_event_loop()
    studio = server.Studio(load)

    def on_start(url):
      address.append(urllib.parse.urlsplit(url))
      started.set()

    running = loop.create_task(studio.run(0, on_start))

    def run():
      with contextlib.suppress(asyncio.CancelledError):
        loop.run_until_complete(running)

    thread = threading.Thread(target=run)
    thread.start()

    def end():
      loop.call_soon_threadsafe(running.cancel)
      thread.join(_SECONDS)
      self.assertFalse(thread.is_alive())
      loop.close()

    self.addCleanup(end)
    self.assertTrue(started.wait(_SECONDS))
    [url] = address
    self.assertEqual(url.hostname, "127.0.0.1")
    return url.port, url.fragment.removeprefix("token=")

  def setUp(self):
    super().setUp()
    self.backend = _Backend()

  def visit(self, port, *sent, origin=None):
    """Sends messages; returns the answer to each."""

    async def run():
      there = f"127.0.0.1:{port}"
      async with connect(
        f"ws://{there}/socket",
        origin=Origin(origin or f"http://{there}"),
        max_size=None,
      ) as link:
        answers = []
        for text in sent:
          await link.send(text)
          while True:
            got = json.loads(await asyncio.wait_for(link.recv(), _SECONDS))
            if got["type"] != "progress":
              break
          answers.append(got)
        return answers

    return asyncio.run(run())

  def wait_until(self, condition):
    end = time.monotonic() + _SECONDS
    while not condition():
      self.assertLess(time.monotonic(), end)
      time.sleep(0.01)

  def closed(self):
    """Returns how many pages have been closed."""
    return self.backend.heard.count("closed")

  def hello(self, token):
    return json.dumps({"type": "hello", "token": token})

  def test_a_page_is_welcomed_and_broken_messages_are_told(self):
    port, token = self.serve(lambda: self.backend)
    answers = self.visit(
      port,
      self.hello(token),
      "{",
      '{"type":"go"}',
      '{"type":"act","move":9}',
      '{"type":"pause"}',
    )
    self.assertEqual(answers[0], {"type": "welcome", "probes": ["a"]})
    self.assertIn("no JSON", answers[1]["text"])
    self.assertNotIn("about", answers[1])
    self.assertEqual(answers[2], {"type": "heard", "what": "Go"})
    self.assertIn("move is 9", answers[3]["text"])
    self.assertEqual(answers[3]["about"], "act")
    self.assertEqual(answers[4]["what"], "Pause")
    # A moment later, in another thread.
    self.wait_until(lambda: self.backend.heard[-1] == "closed")
    self.assertIn("warm", self.backend.heard)

  @parameterized.parameters(
    '{"type":"hello","token":"wrong"}', '{"type":"go"}', "{", "\x00"
  )
  def test_without_the_token_nothing_is_answered(self, first):
    port, _ = self.serve(lambda: self.backend)
    with self.assertRaises(exceptions.ConnectionClosedError) as seen:
      self.visit(port, first)
    self.assertEqual(_code(seen.exception), 1008)
    self.assertEmpty([x for x in self.backend.heard if x != "warm"])

  def test_a_foreign_page_gets_no_socket(self):
    port, token = self.serve(lambda: self.backend)
    with self.assertRaises(exceptions.InvalidStatus) as seen:
      self.visit(port, self.hello(token), origin="http://evil.example")
    self.assertEqual(seen.exception.response.status_code, 403)

  def test_a_message_that_is_too_large_ends_the_connection_alone(self):
    port, token = self.serve(lambda: self.backend)
    huge = '{"type":"card","task":"' + "x" * messages.MAX_BYTES + '"}'
    with self.assertRaises(exceptions.ConnectionClosedError) as seen:
      self.visit(port, self.hello(token), huge)
    self.assertEqual(_code(seen.exception), 1009)
    answers = self.visit(port, self.hello(token), '{"type":"go"}')
    self.assertEqual(answers[-1]["what"], "Go")

  def test_files_are_served_to_the_own_host_alone(self):
    port, _ = self.serve(lambda: self.backend)

    def get(path, host, method="GET"):
      link = http.client.HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
      self.addCleanup(link.close)
      link.putrequest(method, path, skip_host=True)
      link.putheader("Host", host)
      link.endheaders()
      return link.getresponse().status

    own = f"127.0.0.1:{port}"
    self.assertEqual(get("/", own), 200)
    self.assertEqual(get("/../server.py", own), 404)
    self.assertEqual(get("/", "evil.example"), 421)
    self.assertEqual(get("/socket", own), 403)
    self.assertEqual(get("/", own, "POST"), 405)

  def test_a_page_that_leaves_while_it_is_sent_to_does_no_harm(self):
    port, token = self.serve(lambda: self.backend)

    async def leave():
      there = f"127.0.0.1:{port}"
      async with connect(
        f"ws://{there}/socket", origin=Origin(f"http://{there}")
      ) as link:
        await link.send(self.hello(token))
        await link.send('{"type":"stop"}')
        link.transport.abort()

    asyncio.run(leave())
    answers = self.visit(port, self.hello(token), '{"type":"go"}')
    self.assertEqual(answers[-1]["what"], "Go")

  def test_a_fault_of_loading_is_shown_on_the_page(self):
    def load():
      raise errors.UserError("workdir=x: no such directory")

    port, token = self.serve(load)
    [answer] = self.visit(port, self.hello(token))
    self.assertEqual(answer["type"], "error")
    self.assertIn("workdir=x", answer["text"])

  def closing_code(self, port, *sent):
    """Returns the code with which the server closes a new connection."""

    async def run():
      there = f"127.0.0.1:{port}"
      origin = Origin(f"http://{there}")
      async with connect(f"ws://{there}/socket", origin=origin) as link:
        for text in sent:
          await link.send(text)
        with self.assertRaises(exceptions.ConnectionClosedError) as seen:
          await asyncio.wait_for(link.recv(), _SECONDS)
      return _code(seen.exception)

    return asyncio.run(run())

  def test_a_page_that_says_nothing_is_closed(self):
    port, _ = self.serve(lambda: self.backend)
    with absltest.mock.patch.object(server, "_PATIENCE", 0.01):
      self.assertEqual(self.closing_code(port), 1008)

  def test_pages_are_limited_until_one_leaves(self):
    port, token = self.serve(lambda: self.backend)
    hello, refused = self.hello(token), []

    def handle(visitor, message):
      # While this page is open, another one comes.
      del message
      refused.append(self.closing_code(port, hello))
      visitor._send("heard")

    with (
      absltest.mock.patch.object(server, "_MAX_PAGES", 1),
      absltest.mock.patch.object(_Visitor, "handle", handle),
    ):
      for count in (1, 2):
        self.visit(port, hello, '{"type":"go"}')
        self.wait_until(lambda n=count: self.closed() == n)
    self.assertEqual(refused, [1008, 1008])

  def test_a_busy_port_is_one_line(self):
    with socket.create_server(("127.0.0.1", 0)) as taken:
      port = taken.getsockname()[1]
      studio = server.Studio(lambda: self.backend)
      with self.assertRaisesRegex(errors.UserError, f"--port={port}: .*in use"):
        asyncio.run(studio.run(port, lambda url: None))


if __name__ == "__main__":
  absltest.main()
