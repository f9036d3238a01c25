"""The reply in words. It is rendered from typed results, so every number in it is the tool's own and exact.

A model adds at most a remark; a remark whose numbers are not in the results does not reach the reader.
"""

from agent.replies import analysis, campaign, playbook, segment
from agent.replies.render import render

__all__ = ["analysis", "campaign", "playbook", "render", "segment"]
