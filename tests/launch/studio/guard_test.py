"""Tests of which requests the server answers."""

import pathlib

from absl.testing import absltest, parameterized
from websockets.datastructures import Headers
from websockets.http11 import Request

from adaland.launch.studio import guard

_PORT = 8123
_HOST = f"127.0.0.1:{_PORT}"


def _answer(path="/", **headers):
  """Returns the response to a request; None where the socket opens."""
  given = Headers()
  for name, value in ({"Host": _HOST} | headers).items():
    for each in value if isinstance(value, list) else [value]:
      given[name] = each
  return guard.answer(Request(path, given), _PORT, guard.page_files())


def _served(path, **headers):
  """Returns the response to a request that opens no socket."""
  response = _answer(path, **headers)
  assert response is not None
  return response


class GuardTest(parameterized.TestCase):
  @parameterized.parameters(
    "evil.example",
    f"evil.example:{_PORT}",
    "127.0.0.1",
    "127.0.0.1:80",
    f"127.0.0.1.evil.example:{_PORT}",
    f"[::1]:{_PORT}",
    f"{_HOST} ",
    "",
  )
  def test_a_foreign_host_is_misdirected(self, host):
    self.assertEqual(_served("/", Host=host).status_code, 421)
    self.assertEqual(
      _served("/socket", Host=host, Origin=f"http://{_HOST}").status_code, 421
    )

  def test_two_hosts_or_none_are_misdirected(self):
    self.assertEqual(
      _served("/", Host=[_HOST, "evil.example"]).status_code, 421
    )
    self.assertEqual(_served("/", Host=[]).status_code, 421)

  @parameterized.parameters(
    [[]],
    ["null"],
    ["http://evil.example"],
    [f"https://{_HOST}"],
    ["http://127.0.0.1"],
    [f"http://localhost:{_PORT}"],  # Not the requested host.
    [[f"http://{_HOST}", "http://evil.example"]],
  )
  def test_a_foreign_or_missing_origin_is_forbidden(self, origin):
    self.assertEqual(_served("/socket", Origin=origin).status_code, 403)

  def test_the_own_origin_opens_the_socket(self):
    self.assertIsNone(_answer("/socket", Origin=f"http://{_HOST}"))
    self.assertIsNone(
      _answer(
        "/socket",
        Host=f"localhost:{_PORT}",
        Origin=f"http://localhost:{_PORT}",
      )
    )

  @parameterized.parameters(
    "/../guard.py",
    "/page/../../guard.py",
    "/%2e%2e/guard.py",
    "//etc/passwd",
    "/etc/passwd",
    "/index.html/",
    "/index.html%00",
    "/INDEX.HTML",
    "/vendor/",
    "/.",
    "index.html",
    "http://evil.example/",
    "/socket/",
    "",
  )
  def test_other_paths_are_not_found(self, path):
    self.assertEqual(_served(path).status_code, 404)

  def test_the_page_may_run_no_foreign_code(self):
    response = _served("/")
    self.assertEqual(response.status_code, 200)
    self.assertIn(b"<!doctype html>", response.body)
    policy = response.headers["Content-Security-Policy"]
    self.assertIn("default-src 'none'", policy)
    self.assertNotIn("unsafe", policy)
    # The page itself must therefore contain no inline code.
    self.assertNotRegex(
      bytes(response.body), rb"<script[^>]*>[^<]|style=|onclick="
    )

  def test_types_of_files(self):
    for path, kind in (
      ("/main.js?x=1", "text/javascript; charset=utf-8"),
      ("/style.css", "text/css; charset=utf-8"),
      ("/icon.svg", "image/svg+xml"),
    ):
      self.assertEqual(_served(path).headers["Content-Type"], kind)

  def test_files_are_those_of_the_folder(self):
    folder = pathlib.Path(self.create_tempdir().full_path)
    (folder / "vendor").mkdir()
    for name in ("a.js", ".hidden", "vendor/b.js"):
      (folder / name).write_text("")
    found = guard.page_files(folder)
    self.assertEqual(list(found), ["/a.js", "/vendor/b.js"])

  def test_tokens(self):
    token = guard.new_token()
    self.assertNotEqual(token, guard.new_token())
    self.assertGreaterEqual(len(token), 22)
    self.assertTrue(guard.is_token(token, token))
    for wrong in ("", token[:-1], token + "x", "\u00e9"):
      self.assertFalse(guard.is_token(wrong, token))


if __name__ == "__main__":
  absltest.main()
