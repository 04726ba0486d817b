"""The studio's server: the page's files and its socket, on one port."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any, Protocol

from websockets.asyncio import server
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from adaland.launch import errors, output
from adaland.launch.studio import guard, messages

# Seconds in which a connection must send its token.
_PATIENCE = 10.0
# Seconds that a page may take to read a message.
_SLOWEST = 30.0
_MAX_PAGES = 16
_REFUSED = 1008  # Policy violation (RFC 6455, section 7.4.1).


class Visitor(Protocol):
  """A connected page."""

  def act(self, message: messages.Act) -> None:
    """Takes the person's input; returns at once."""
    ...

  def handle(self, message: messages.Message) -> None:
    """Handles a message; raises nothing."""
    ...

  def close(self) -> None:
    """Stops everything that runs for this page."""
    ...


class Backend(Protocol):
  """The back end, which answers the pages' messages."""

  def lists(self) -> dict[str, Any]:
    """Returns the names that a page may request."""
    ...

  def connect(self, send: Callable[..., None]) -> Visitor:
    """Connects a page, to which `send` sends messages."""
    ...

  def warm_up(self) -> None:
    """Does work in advance that the first page would wait for."""
    ...


class Studio:
  """The server.

  Attributes:
    token: The secret that a page must send to be answered.
  """

  def __init__(self, load: Callable[[], Backend]):
    """Initializes the server; `run` starts it.

    Args:
      load: Makes the back end. It is called in its own thread, as it may take
        seconds; its UserErrors are shown on the page.
    """
    self.token = guard.new_token()
    self._make = load
    self._files = guard.page_files()
    self._port = 0
    self._pages = 0
    self._backend: Backend | None = None
    self._fault = ""
    self._ready = threading.Event()

  async def run(self, port: int, on_start: Callable[[str], None]) -> None:
    """Serves until it is cancelled.

    Args:
      port: The port; 0 for any free one.
      on_start: Called with the page's address.

    Raises:
      UserError: If the port is taken.
    """
    try:
      serving = await server.serve(
        self._visit,
        guard.HOST,
        port,
        process_request=self._answer,
        max_size=messages.MAX_BYTES,
        max_queue=16,
        compression=None,
        server_header=None,
        open_timeout=_PATIENCE,
      )
    except OSError as error:
      reason = errors.describe_os_error(error)
      raise errors.UserError(
        f"--port={port}: {reason}; choose another, or 0 for a free one"
      ) from error
    async with serving:
      [socket, *_] = serving.sockets
      self._port = socket.getsockname()[1]
      threading.Thread(target=self._load, daemon=True).start()
      on_start(f"http://{guard.HOST}:{self._port}/#token={self.token}")
      await serving.serve_forever()

  def _load(self) -> None:
    """Loads the back end while the page is already being served."""
    try:
      self._backend = self._make()
    except errors.UserError as error:
      self._fault = errors.one_line(str(error))
      output.say(f"error: {self._fault}")
    finally:
      self._ready.set()
    if self._backend is not None:
      self._backend.warm_up()

  def _answer(
    self, connection: server.ServerConnection, request: Request
  ) -> Response | None:
    del connection
    return guard.answer(request, self._port, self._files)

  async def _visit(self, connection: server.ServerConnection) -> None:
    """Serves a page's socket from its first message to its end."""
    if not await self._knows_token(connection):
      await connection.close(_REFUSED, "the token is missing or wrong")
      return
    if self._pages >= _MAX_PAGES:
      await connection.close(_REFUSED, f"{_MAX_PAGES} pages are open")
      return
    self._pages += 1
    try:
      await self._serve(connection)
    except ConnectionClosed:
      pass
    finally:
      self._pages -= 1

  async def _knows_token(self, connection: server.ServerConnection) -> bool:
    try:
      async with asyncio.timeout(_PATIENCE):
        first = messages.decode(await connection.recv())
    except (TimeoutError, ConnectionClosed, errors.UserError):
      return False
    return isinstance(first, messages.Hello) and guard.is_token(
      first.token, self.token
    )

  async def _serve(self, connection: server.ServerConnection) -> None:
    if not self._ready.is_set():
      text = messages.encode("progress", text="loading")
      await connection.send(text)
      await asyncio.to_thread(self._ready.wait)
    if self._backend is None:
      text = self._fault or "the studio could not be loaded; see its terminal"
      await connection.send(messages.encode("error", text=text))
      return
    visitor = self._backend.connect(_sender(connection))
    lists = self._backend.lists()
    await connection.send(messages.encode("welcome", **lists))
    try:
      async for text in connection:
        try:
          message = messages.decode(text)
        except messages.RefusedError as error:
          said = {"text": errors.one_line(str(error))}
          if error.about:
            # The page waits for an answer to this request.
            said["about"] = error.about
          await connection.send(messages.encode("error", **said))
          continue
        if isinstance(message, messages.Act):
          visitor.act(message)
        else:
          await asyncio.to_thread(visitor.handle, message)
    finally:
      await asyncio.to_thread(visitor.close)


def _sender(connection: server.ServerConnection) -> Callable[..., None]:
  """Returns a function that sends from any thread.

  It waits for a page that reads slowly, so that messages do not pile up.
  """
  loop = asyncio.get_running_loop()

  def send(kind: str, **fields: Any) -> None:
    text = messages.encode(kind, **fields)
    sending = asyncio.run_coroutine_threadsafe(connection.send(text), loop)
    try:
      sending.result(_SLOWEST)
    except (ConnectionClosed, TimeoutError) as error:
      raise messages.GoneError("the page has gone") from error

  return send
