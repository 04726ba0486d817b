"""Decides which requests the server answers, before any message is read.

The page is served to this machine only, from a fixed map of files. Other web
sites in the browser may send requests here too, so the Host and, for the
socket, the Origin must be the page's own. Other users of the machine can reach
the port as well, but lack the token.
"""

import hmac
import http
import mimetypes
import pathlib
import secrets
from collections.abc import Mapping

from websockets.datastructures import Headers
from websockets.http11 import Request, Response

SOCKET = "/socket"
PAGE = pathlib.Path(__file__).parent / "page"
HOST = "127.0.0.1"
# Files by path, which starts with a slash.
Files = Mapping[str, pathlib.Path]

_KINDS = {".js": "text/javascript", ".md": "text/plain"}


def new_token() -> str:
  """Returns 128 random bits in URL-safe characters."""
  return secrets.token_urlsafe(16)


def is_token(given: str, token: str) -> bool:
  """Returns whether a token is the right one, in constant time."""
  return hmac.compare_digest(given.encode(), token.encode())


def page_files(folder: pathlib.Path = PAGE) -> dict[str, pathlib.Path]:
  """Returns the files of the page by the paths at which they are served."""
  files = {
    f"/{path.relative_to(folder).as_posix()}": path
    for path in sorted(folder.rglob("*"))
    if path.is_file() and not path.name.startswith(".")
  }
  if "/index.html" in files:
    files["/"] = files["/index.html"]
  return files


def _origins(port: int) -> dict[str, str]:
  """Returns the allowed Hosts, each with its Origin."""
  return {
    f"{name}:{port}": f"http://{name}:{port}" for name in (HOST, "localhost")
  }


def answer(request: Request, port: int, files: Files) -> Response | None:
  """Answers a request.

  Args:
    request: The request.
    port: The server's port.
    files: The files to serve.

  Returns:
    The response; None to open the socket.
  """
  hosts = request.headers.get_all("Host")
  if len(hosts) != 1 or hosts[0] not in _origins(port):
    return _text(http.HTTPStatus.MISDIRECTED_REQUEST, port)
  if request.method != "GET":
    return _text(http.HTTPStatus.METHOD_NOT_ALLOWED, port)
  path = request.path.partition("?")[0]
  if path == SOCKET:
    origins = request.headers.get_all("Origin")
    if origins != [_origins(port)[hosts[0]]]:
      return _text(http.HTTPStatus.FORBIDDEN, port)
    return None
  if path not in files:
    return _text(http.HTTPStatus.NOT_FOUND, port)
  file = files[path]
  kind = _KINDS.get(file.suffix) or mimetypes.guess_type(file.name)[0]
  return _response(
    http.HTTPStatus.OK, file.read_bytes(), kind or "text/plain", port
  )


def _text(status: http.HTTPStatus, port: int) -> Response:
  return _response(status, f"{status.phrase}\n".encode(), "text/plain", port)


def _response(
  status: http.HTTPStatus, body: bytes, kind: str, port: int
) -> Response:
  if kind.startswith("text/"):
    kind += "; charset=utf-8"
  sockets = " ".join(f"ws://{host}" for host in _origins(port))
  policy = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data: blob:",
    "connect-src": f"'self' {sockets}",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
  }
  return Response(
    status.value,
    status.phrase,
    Headers(
      {
        "Content-Type": kind,
        "Content-Length": str(len(body)),
        "Content-Security-Policy": "; ".join(
          f"{name} {value}" for name, value in policy.items()
        ),
        "Cache-Control": "no-store",
        "Connection": "close",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
      }
    ),
    body,
  )
