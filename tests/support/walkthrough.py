"""Scripted conversations: played on a real home through the service, written down as Markdown.

The transcripts in docs/walkthroughs are what these scripts gave; the tests play them again and compare, so that they
cannot drift. The home's clock stands still at its data cut-off, and every id is new with the home, so a transcript is
a function of script, data and code.
"""

from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from server.access import Caller
from server.schema import AskAnswer, AskAsked, DecisionAsked, SignIn
from server.service import Service
from warehouse.home import Home

STANDING_STILL = 4e12
"""A clock origin far in the future: the demo clock never leaves its start."""


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Decision(Model):
    """Somebody else decides about the proposal in focus."""

    who: str
    decision: Literal["approve", "reject", "return"] = "approve"
    comment: str = ""


class Step(Model):
    """Exactly one of: a request, a decision, a look into the outbox folder, or words to the reader."""

    ask: str = ""
    decide: Decision | None = None
    outbox: bool = False
    say: str = ""
    expect: list[str] = Field([], description="Tools that the answer must have called, in order.")


class Script(Model):
    title: str
    home: Literal["demo", "uci", "kz"]
    language: Literal["zh", "en"]
    user: str = "operator"
    intro: str
    steps: list[Step]

    @classmethod
    def load(cls, path: Path) -> "Script":
        return cls.model_validate(yaml.safe_load(path.read_text("utf-8")))


def stop_the_clock(home: Home) -> None:
    """Let the demo home's time stand still, so that a transcript does not depend on when it was played."""
    home.create(home.info().model_copy(update={"clock_origin": STANDING_STILL}))


class Player:
    """Plays one script on one home and keeps what was said."""

    def __init__(self, script: Script, home: Home) -> None:
        self.script = script
        self.home = home
        self.lines: list[str] = [f"# {script.title}", "", script.intro.strip(), ""]
        self.answers: list[AskAnswer] = []

    def play(self) -> str:
        """The transcript."""
        with self.home.own(), Service(self.home) as service:
            operator = service.local_caller(self.script.user)
            for number, step in enumerate(self.script.steps, start=1):
                self._step(service, operator, number, step)
        return "\n".join(self.lines).rstrip() + "\n"

    def _step(self, service: Service, operator: Caller, number: int, step: Step) -> None:
        if step.say:
            self.lines += [step.say.strip(), ""]
        elif step.ask:
            self._ask(service, operator, number, step)
        elif step.decide:
            self._decide(service, number, step.decide)
        elif step.outbox:
            self._outbox(number)

    def _ask(self, service: Service, operator: Caller, number: int, step: Step) -> None:
        answer = service.workspace(operator).ask(AskAsked(text=step.ask, thread="walkthrough"))
        self.answers.append(answer)
        called = [call.tool for call in answer.calls if call.ok]
        assert not step.expect or called == step.expect, f"{step.ask!r} called {called}: {answer.reply}"
        self.lines += [f"### {number}. {self.script.user}", "", f"> {step.ask}", "", answer.reply.strip(), ""]
        for call in answer.calls:
            arguments = ", ".join(f"{name}={value!r}" for name, value in call.args.items())
            evidence = f" → {', '.join(call.evidence)}" if call.evidence else ""
            self.lines += [f"<sub>`{call.tool}({arguments})`{evidence}</sub>", ""]

    def _decide(self, service: Service, number: int, decision: Decision) -> None:
        proposal = self.answers[-1].proposal
        assert proposal is not None, "there is no proposal to decide about"
        password = f"{decision.who}-demo"
        signed_in = service.sign_in(SignIn(account=decision.who, password=password))
        workspace = service.workspace(service.caller(signed_in.token))
        made = workspace.decide(
            proposal.id, DecisionAsked(decision=decision.decision, digest=proposal.digest, comment=decision.comment)
        )
        self.lines += [
            f"### {number}. {decision.who}",
            "",
            f"`touchline {decision.decision} {proposal.id} --user {decision.who}` — “{decision.comment}” → **{made.status}**",
            "",
            f"<sub>{proposal.digest}</sub>",
            "",
        ]

    def _outbox(self, number: int) -> None:
        files = sorted(path for path in self.home.outbox.rglob("*") if path.is_file())
        assert files, "nothing was handed over"
        self.lines += [f"### {number}. outbox", "", "```"]
        for path in files:
            text = path.read_text("utf-8")
            self.lines.append(f"{path.relative_to(self.home.outbox)}  {len(text.splitlines())} lines")
        self.lines += ["```", ""]
