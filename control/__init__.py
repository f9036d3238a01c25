"""The control plane: `records` (drafts, proposals: anyone may read and submit) and `authority` (people, decisions).

`agent`, `tools` and `knowledge` may import `control.records` only.
"""
