"""The typed tools, a folder per domain: `proposal > canvas > throttle > segment`, `analysis > segment`, `playbook`.

They read and decide, and write drafts through `control.records`. They have no door to `delivery` or
`control.authority`: nothing in here can send or approve.
"""
