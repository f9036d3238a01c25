"""The service functions over HTTP: the same names and models as `server.service.Workspace`."""

import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel

from cli.credentials import Who
from cli.language import LANGUAGE
from server.schema import (
    AccountAsked,
    AccountView,
    AnalyzeAsked,
    AskAnswer,
    AskAsked,
    AuditCheck,
    Breakdown,
    BreakdownAsked,
    CanvasAsked,
    CanvasCheck,
    CanvasDiff,
    CanvasHistory,
    CanvasView,
    CatalogHit,
    ChangesAsked,
    ChangeView,
    ClockAsked,
    ClockView,
    CountView,
    DecisionAsked,
    DecisionMade,
    DiffAsked,
    DisableAsked,
    Drawing,
    DryRun,
    DryRunAsked,
    Exported,
    HouseView,
    LineageView,
    ListInfo,
    ListReport,
    ListView,
    Me,
    OverlapAsked,
    OverlapView,
    PasswordAsked,
    PersonAsked,
    PlanAsked,
    PolicyCheck,
    PolicyDifference,
    PolicyNote,
    PolicyVersionInfo,
    PolicyVersionView,
    ProposalInfo,
    ProposalView,
    ReadOutView,
    ReleaseRun,
    RenewAsked,
    RevokeAsked,
    SaveAsked,
    SegmentAsked,
    SegmentCount,
    SegmentInfo,
    SignedIn,
    SignIn,
    TagAsked,
    TagInfo,
    TagView,
    TemplateAsked,
    TemplateCanvas,
    TemplateView,
    ThrottleAsked,
    ThrottleCheck,
    ThrottlePlan,
    TokenAsked,
    TokenInfo,
    TokenMade,
    TurnEvent,
    TurnStarted,
    Waterfall,
    WaterfallAsked,
    Why,
    WhyAsked,
)
from warehouse.catalog import Language
from warehouse.errors import (
    AdminFixes,
    DeveloperFixes,
    Forbidden,
    ModelRetry,
    NotFound,
    PersonDecides,
    SignInNeeded,
    TouchlineError,
)
from warehouse.store import QueryTimeout

if TYPE_CHECKING:
    from tools.segment.list_files import Named
    from tools.segment.lists import Several

A = TypeVar("A", bound=BaseModel)

START_S = 20.0
"""How long a server that is starting may take until it answers."""
READ_S = 300.0
CLASSES: dict[int, type[TouchlineError]] = {
    401: SignInNeeded,
    403: Forbidden,
    404: NotFound,
    409: PersonDecides,
    500: DeveloperFixes,
    503: AdminFixes,
    504: QueryTimeout,
}


class Remote:
    """A running server, spoken to as somebody.

    Args:
        url: from the home's `owner.json`.
        local_token: from the same file; lets the local command line read and draft on demo homes.
        who: whose words these are.
    """

    def __init__(self, url: str, local_token: str, who: Who) -> None:
        # trust_env: a proxy of the environment must not see what goes to loopback.
        self._http = httpx.Client(
            base_url=f"{url}/v1",
            timeout=httpx.Timeout(10.0, read=READ_S),
            headers={"Accept-Language": LANGUAGE},
            trust_env=False,
        )
        self._who = who
        self._local_token = local_token

    def __enter__(self) -> Self:
        self._wait_until_it_answers()
        if self._who.password is not None and self._who.user is not None:
            asked = SignIn(account=self._who.user, password=self._who.password)
            self._bear(self._post("/sign-in", asked, SignedIn).token)
        elif self._who.token:
            self._bear(self._who.token)
        else:
            self._bear(self._local_token)
            if self._who.user:
                self._http.headers["X-Touchline-User"] = self._who.user
        return self

    def __exit__(self, *_: object) -> None:
        if self._who.password is not None:
            with contextlib.suppress(httpx.HTTPError, TouchlineError):
                self._send("POST", "/sign-out")
        self._http.close()

    def _bear(self, token: str) -> None:
        self._http.headers["Authorization"] = f"Bearer {token}"

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + START_S
        while True:
            try:
                self._http.get("/health", timeout=5.0)
                return
            except httpx.TransportError as error:
                if time.monotonic() > deadline:
                    raise AdminFixes(
                        f"The server that owns this home does not answer at {self._http.base_url}.",
                        "Look at its output, or stop it and try again.",
                    ) from error
                time.sleep(0.1)

    def _send(self, method: str, path: str, asked: BaseModel | None = None, **params: Any) -> httpx.Response:
        body = asked.model_dump(mode="json", by_alias=True) if asked is not None else None
        return self._request(method, path, json=body, params={k: v for k, v in params.items() if v is not None})

    def _request(self, method: str, path: str, **what: Any) -> httpx.Response:
        try:
            response = self._http.request(method, path, **what)
        except httpx.TransportError as error:
            raise AdminFixes(
                f"The server stopped answering ({type(error).__name__}).", "Look at its output, then try again."
            ) from None
        if response.is_error:
            raise told(response)
        return response

    def _get(self, path: str, answer: type[A], **params: Any) -> A:
        return answer.model_validate(self._send("GET", path, **params).json())

    def _list(self, path: str, answer: type[A], **params: Any) -> list[A]:
        return [answer.model_validate(item) for item in self._send("GET", path, **params).json()]

    def _post(self, path: str, asked: BaseModel | None, answer: type[A]) -> A:
        return answer.model_validate(self._send("POST", path, asked).json())

    def _delete(self, path: str, answer: type[A]) -> A:
        return answer.model_validate(self._send("DELETE", path).json())

    # The house

    def house(self) -> HouseView:
        return self._get("/house", HouseView)

    def me(self) -> Me:
        return self._get("/me", Me)

    def tokens(self) -> list[TokenInfo]:
        return self._list("/tokens", TokenInfo)

    def token_create(self, asked: TokenAsked) -> TokenMade:
        return self._post("/tokens", asked, TokenMade)

    def token_revoke(self, token_id: str) -> dict[str, str]:
        answer: dict[str, str] = self._send("DELETE", f"/tokens/{_part(token_id)}").json()
        return answer

    # People

    def first_admin(self, asked: AccountAsked) -> AccountView:
        """A server never makes it: whoever owns the folder alone may.

        Raises:
            SignInNeeded: always; the fix tells what to do.
        """
        from server.people import no_server_makes_the_first

        raise no_server_makes_the_first()

    def people(self) -> list[AccountView]:
        return self._list("/people", AccountView)

    def people_add(self, asked: AccountAsked) -> AccountView:
        return self._post("/people", asked, AccountView)

    def people_roles(self, asked: PersonAsked) -> list[AccountView]:
        answer = self._send("POST", "/people/roles", asked).json()
        return [AccountView.model_validate(item) for item in answer]

    def people_disable(self, account: str, asked: DisableAsked) -> AccountView:
        return self._post(f"/people/{_part(account)}/disable", asked, AccountView)

    def people_password(self, account: str, asked: PasswordAsked) -> AccountView:
        return self._post(f"/people/{_part(account)}/password", asked, AccountView)

    def catalog_search(self, text: str, limit: int = 8) -> list[CatalogHit]:
        return self._list("/catalog/search", CatalogHit, q=text, limit=limit)

    def clock(self) -> ClockView:
        return self._get("/clock", ClockView)

    def clock_advance(self, asked: ClockAsked) -> ClockView:
        return self._post("/clock/advance", asked, ClockView)

    def release_run(self) -> ReleaseRun:
        return self._post("/releases/run", None, ReleaseRun)

    def verify_audit(self) -> AuditCheck:
        return self._get("/audit/verify", AuditCheck)

    # Work

    def ask(self, asked: AskAsked) -> AskAnswer:
        """Begin the turn and follow it to its end, however long a model takes."""
        begun = self._post("/ask", asked.model_copy(update={"wait": False}), TurnStarted)
        path, after = f"/threads/{_part(begun.thread)}/stream", begun.after
        with self._http.stream("GET", path, params={"after": after}) as stream:
            if stream.is_error:
                stream.read()
                raise told(stream)
            for line in stream.iter_lines():
                if not line.startswith("data: "):
                    continue
                event = TurnEvent.model_validate_json(line.removeprefix("data: "))
                if event.turn == begun.turn and event.kind == "answer":
                    return AskAnswer.model_validate(event.body)
                if event.turn == begun.turn and event.kind == "error":
                    raise error_of(event.body, int(event.body.get("status", 500)))
        raise AdminFixes("The server stopped before the answer came.", "Look at its output, then ask again.")

    def segment_count(self, asked: SegmentAsked) -> SegmentCount:
        return self._post("/segments/count", asked, SegmentCount)

    def segment_breakdown(self, asked: BreakdownAsked) -> Breakdown:
        return self._post("/segments/breakdown", asked, Breakdown)

    def segment_waterfall(self, asked: WaterfallAsked) -> Waterfall:
        return self._post("/segments/waterfall", asked, Waterfall)

    def segment_ids(self, asked: SegmentAsked, out: Path) -> Exported:
        with self._http.stream("POST", "/segments/ids", json=asked.model_dump(mode="json")) as response:
            if response.is_error:
                response.read()
                raise told(response)
            with out.open("wb") as file:
                for piece in response.iter_bytes():
                    file.write(piece)
        return Exported(expression=asked.expression, count=int(response.headers["X-Customers"]), file=str(out))

    def segments(self, limit: int = 50, named: bool = False) -> list[SegmentInfo]:
        return self._list("/segments", SegmentInfo, limit=limit, named=named)

    def segment_save(self, asked: SaveAsked) -> SegmentInfo:
        return self._post("/segments", asked, SegmentInfo)

    def segment_overlap(self, asked: OverlapAsked) -> OverlapView:
        return self._post("/segments/overlap", asked, OverlapView)

    def segment_lineage(self, segment: str) -> LineageView:
        return self._get(f"/segments/{_quoted(segment)}/lineage", LineageView)

    def segment_history(self, segment: str) -> list[CountView]:
        return self._list(f"/segments/{_quoted(segment)}/history", CountView)

    def segment_changes(self, asked: ChangesAsked) -> ChangeView:
        return self._post("/segments/changes", asked, ChangeView)

    def segment_archive(self, segment: str) -> SegmentInfo:
        return self._delete(f"/segments/{_quoted(segment)}", SegmentInfo)

    def list_upload(
        self, name: str, content: bytes, named: "Named | None" = None, several: "Several" = "all"
    ) -> ListReport:
        said = {"name": name, "named": named or "", "several": several}
        form: dict[str, Any] = {"data": said, "files": {"file": ("list", content)}}
        return ListReport.model_validate(self._request("POST", "/lists", **form).json())

    def lists(self) -> list[ListInfo]:
        return self._list("/lists", ListInfo)

    def list_view(self, name: str) -> ListView:
        return self._get(f"/lists/{_quoted(name)}", ListView)

    def list_archive(self, name: str) -> ListInfo:
        return self._delete(f"/lists/{_quoted(name)}", ListInfo)

    def tags(self) -> list[TagInfo]:
        return self._list("/tags", TagInfo)

    def tag(self, name: str) -> TagView:
        return self._get(f"/tags/{_part(name)}", TagView)

    def tag_create(self, asked: TagAsked) -> TagInfo:
        return self._post("/tags", asked, TagInfo)

    def tag_renew(self, name: str, asked: RenewAsked) -> TagInfo:
        return self._post(f"/tags/{_part(name)}/renew", asked, TagInfo)

    def tag_refresh(self, name: str) -> TagInfo:
        return self._post(f"/tags/{_part(name)}/refresh", None, TagInfo)

    def tag_remove(self, name: str) -> TagInfo:
        return self._delete(f"/tags/{_part(name)}", TagInfo)

    def canvas_check(self, asked: CanvasAsked) -> CanvasCheck:
        return self._post("/canvases/check", asked, CanvasCheck)

    def canvas_dry_run(self, asked: DryRunAsked) -> DryRun:
        return self._post("/canvases/dry-run", asked, DryRun)

    def canvas_draw(self, asked: CanvasAsked) -> Drawing:
        return self._post("/canvases/draw", asked, Drawing)

    def canvas_diff(self, asked: DiffAsked) -> CanvasDiff:
        return self._post("/canvases/diff", asked, CanvasDiff)

    def canvas_history(self, canvas_id: str, language: Language = "zh") -> CanvasHistory:
        return self._get(f"/canvases/{_part(canvas_id)}/history", CanvasHistory, language=language)

    def templates(self, language: Language = "zh") -> list[TemplateView]:
        return self._list("/templates", TemplateView, language=language)

    def template_canvas(self, template_id: str, asked: TemplateAsked) -> TemplateCanvas:
        return self._post(f"/templates/{_part(template_id)}", asked, TemplateCanvas)

    def canvas(self, canvas_id: str, version: int | None = None) -> CanvasView:
        return self._get(f"/canvases/{_part(canvas_id)}", CanvasView, version=version)

    def throttle_check(self, asked: ThrottleAsked) -> ThrottleCheck:
        return self._post("/throttle/check", asked, ThrottleCheck)

    def throttle_plan(self) -> ThrottlePlan:
        return self._get("/throttle/plan", ThrottlePlan)

    def throttle_make_plan(self, asked: PlanAsked) -> ThrottlePlan:
        return self._post("/throttle/plan", asked, ThrottlePlan)

    def throttle_why(self, asked: WhyAsked) -> Why:
        return self._post("/throttle/why", asked, Why)

    def analyze(self, asked: AnalyzeAsked) -> ReadOutView:
        return self._post("/analyze", asked, ReadOutView)

    # The contact policy

    def policy_show(self, version: str | None = None) -> PolicyVersionView:
        return self._get("/policy", PolicyVersionView, version=version)

    def policy_check(self) -> PolicyCheck:
        return self._get("/policy/check", PolicyCheck)

    def policy_history(self) -> list[PolicyVersionInfo]:
        return self._list("/policy/history", PolicyVersionInfo)

    def policy_diff(self, before: str | None = None, after: str | None = None) -> PolicyDifference:
        return self._get("/policy/diff", PolicyDifference, before=before, after=after)

    def policy_adopt(self, asked: PolicyNote) -> PolicyVersionInfo:
        return self._post("/policy/adopt", asked, PolicyVersionInfo)

    # Approval

    def proposals(self, status: str | None = None) -> list[ProposalInfo]:
        return self._list("/proposals", ProposalInfo, status=status)

    def proposal(self, proposal_id: str) -> ProposalView:
        return self._get(f"/proposals/{_part(proposal_id)}", ProposalView)

    def decide(self, proposal_id: str, asked: DecisionAsked) -> DecisionMade:
        return self._post(f"/proposals/{_part(proposal_id)}/decisions", asked, DecisionMade)

    def revoke(self, proposal_id: str, asked: RevokeAsked) -> ProposalView:
        return self._post(f"/proposals/{_part(proposal_id)}/revoke", asked, ProposalView)

    def withdraw(self, proposal_id: str) -> ProposalView:
        return self._post(f"/proposals/{_part(proposal_id)}/withdraw", None, ProposalView)


def _quoted(text: str) -> str:
    """A name as one segment of a path.

    Raises:
        NotFound: it could not be one: it is empty, or holds a slash, which no path can carry inside a segment.
    """
    if not text.strip() or "/" in text or text.strip(".") == "":
        raise NotFound(f"{text!r} cannot be asked for over HTTP.", "Use its id, such as seg_1.")
    return quote(text, safe="")


def _part(text: str) -> str:
    """An id as one segment of a path.

    Raises:
        NotFound: it could not be one.
    """
    if not text or any(c in text for c in "/?#%\\ ") or text.strip(".") == "":
        raise NotFound(f"{text!r} is no id.", "Ids look like prop_1, cv_1, seg_1.")
    return text


def told(response: httpx.Response) -> TouchlineError:
    """The error that a problem document tells about, of the class that would have been raised in-process."""
    try:
        return error_of(response.json(), response.status_code)
    except (ValueError, KeyError, TypeError):
        return DeveloperFixes(
            f"The server answered {response.status_code} without a reason.", "Is it a Touchline server?"
        )


def error_of(document: dict[str, Any], status: int) -> TouchlineError:
    """The error of a problem document."""
    message, code = str(document["detail"]), str(document["code"])
    base = CLASSES.get(status, ModelRetry)
    known = ("type", "title", "status", "detail", "fix", "code", "instance")
    details = {k: v for k, v in document.items() if k not in known}
    kind: type[TouchlineError] = type(base.__name__, (base,), {"code": code, "status": status})
    return kind(message, str(document.get("fix", "")), **details)
