"""The studio: a page in the browser to play, watch and make tasks.

`server` answers the requests that `guard` admits; `client` handles a page's
requests, which `messages` defines; `game` and `lanes` run the worlds. `page/`
is the code in the browser.
"""
