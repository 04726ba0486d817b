"""The studio: a page in the browser to play, watch and make tasks.

`server` answers whom `guard` lets in; `client` does what a page asks by the
`messages` that there are; `game` and `lanes` are the worlds behind it. `page/`
is the browser's half.
"""
