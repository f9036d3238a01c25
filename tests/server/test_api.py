"""The HTTP API as outsiders meet it: signing in, problem details, limits, attacks."""

import json
import stat
from pathlib import Path

import httpx
import pyarrow.parquet as pq
import pytest
import yaml

ROOT = Path(__file__).parents[2]
OPEN = {
    ("GET", "/v1/health"),
    ("GET", "/v1/ready"),
    ("GET", "/v1/house"),
    ("POST", "/v1/sign-in"),
    ("POST", "/v1/sign-out"),
}


def routes(server) -> list[tuple[str, str]]:
    document = server.client().get("/openapi.json").json()
    return [(method.upper(), path) for path, item in document["paths"].items() for method in item]


def assert_problem(answer: httpx.Response, status: int, code: str) -> dict[str, object]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, object] = answer.json()
    assert {"type", "title", "status", "detail", "fix", "code", "instance"} <= body.keys()
    assert body["status"] == status
    assert body["code"] == code
    assert body["instance"] == answer.headers["x-request-id"]
    assert "Traceback" not in answer.text
    return body


def test_every_route_is_documented(server) -> None:
    page = (ROOT / "docs" / "api.md").read_text("utf-8")
    missing = [f"{method} {path}" for method, path in routes(server) if f"`{method} {path}`" not in page]
    assert missing == []


def test_every_documented_route_exists(server) -> None:
    page = (ROOT / "docs" / "api.md").read_text("utf-8")
    listed = {
        tuple(line.split("`")[1].split(" ", 1))
        for line in page.splitlines()
        if line.startswith("| `") and " /v1/" in line
    }
    assert listed == set(routes(server))


def test_nobody_gets_nothing_but_the_open_routes(server) -> None:
    fill = {
        "account": "operator",
        "thread": "t_1",
        "canvas_id": "cv_1",
        "proposal_id": "prop_1",
        "evidence_id": "ev_1",
        "token_id": "x",
        "segment_id": "seg_1",
        "name": "x",
        "template_id": "maturity",
    }
    bodies = {
        "/v1/ask": {"text": "x"},
        "/v1/tokens": {"name": "x", "scopes": ["read"]},
        "/v1/segments/breakdown": {"expression": "everyone", "by": "tier"},
        "/v1/segments/waterfall": {"expression": "everyone", "channel": "sms"},
        "/v1/segments": {"name": "x", "expression": "everyone"},
        "/v1/segments/overlap": {"segments": ["everyone", "is_payroll"]},
        "/v1/segments/changes": {"segment": "seg_1"},
        "/v1/tags": {"name": "x", "expression": "everyone"},
        "/v1/tags/{name}/renew": {},
        "/v1/canvases/check": {"canvas": "cv_1"},
        "/v1/canvases/dry-run": {"canvas": "cv_1"},
        "/v1/canvases/draw": {"canvas": "cv_1"},
        "/v1/canvases/diff": {"before": {"canvas": "cv_1"}, "after": {"canvas": "cv_1"}},
        "/v1/templates/{template_id}": {},
        "/v1/throttle/check": {"segment": "everyone", "channel": "sms"},
        "/v1/throttle/why": {"customer": 1, "campaign": "c"},
        "/v1/throttle/plan": {},
        "/v1/analyze": {"campaign": "c"},
        "/v1/proposals/{proposal_id}/decisions": {"decision": "approve"},
        "/v1/proposals/{proposal_id}/revoke": {},
        "/v1/clock/advance": {"days": 1},
        "/v1/policy/adopt": {"note": "x"},
        "/v1/people": {"account": "x", "roles": ["admin"], "password": "a long new password"},
        "/v1/people/roles": {"person": "operator", "roles": ["approver"]},
        "/v1/people/{account}/disable": {},
        "/v1/people/{account}/password": {"password": "a long new password"},
    }
    with server.client() as anybody:
        for method, path in routes(server):
            if (method, path) in OPEN:
                continue
            body = bodies.get(path, {"expression": "everyone"} if path.startswith("/v1/segments/") else None)
            answer = anybody.request(method, path.removeprefix("/v1").format(**fill), json=body, params={"q": "x"})
            assert_problem(answer, 401, "sign_in_needed")


def test_a_wrong_password_and_an_unknown_account_sound_the_same(server) -> None:
    with server.client() as anybody:
        wrong = anybody.post("/sign-in", json={"account": "manager", "password": "no"})
        unknown = anybody.post("/sign-in", json={"account": "nobody_here", "password": "no"})
    assert (
        assert_problem(wrong, 401, "sign_in_needed")["detail"]
        == assert_problem(unknown, 401, "sign_in_needed")["detail"]
    )


def test_signing_out_ends_the_token(server) -> None:
    with server.sign_in("operator") as operator:
        assert operator.get("/me").json()["account"] == "operator"
        operator.post("/sign-out")
        assert_problem(operator.get("/me"), 401, "sign_in_needed")


def test_a_made_up_token_is_nobody(server) -> None:
    with server.client("tl_made_up") as stranger:
        assert_problem(stranger.get("/me"), 401, "sign_in_needed")


def test_the_local_token_is_private_and_reads_but_never_decides(server) -> None:
    mode = stat.S_IMODE(server.home.owner_file.stat().st_mode)
    assert mode == 0o600
    with server.local("approver") as local:
        assert local.get("/me").json()["account"] == "approver"
        assert local.get("/proposals").status_code == 200
        answer = local.post("/proposals/prop_1/decisions", json={"decision": "approve"})
        assert_problem(answer, 401, "sign_in_needed")
        assert_problem(local.post("/proposals/prop_1/revoke", json={}), 401, "sign_in_needed")
        assert_problem(local.post("/tokens", json={"name": "x", "scopes": ["decide"]}), 401, "sign_in_needed")


def test_a_forged_local_token_is_refused(server) -> None:
    owner = server.home.owner()
    forged = str(owner["token"])[:-1] + ("A" if str(owner["token"])[-1] != "A" else "B")
    with server.client(forged, **{"X-Touchline-User": "approver"}) as stranger:
        assert_problem(stranger.get("/proposals"), 401, "sign_in_needed")


def test_the_user_header_means_nothing_with_another_token(server) -> None:
    with server.sign_in("operator") as operator:
        operator.headers["X-Touchline-User"] = "approver"
        assert operator.get("/me").json()["account"] == "operator"


def test_a_token_carries_only_its_scopes_and_can_be_revoked(server) -> None:
    with server.sign_in("approver") as approver:
        assert_problem(approver.post("/tokens", json={"name": "x", "scopes": ["admin"]}), 403, "forbidden")
        made = approver.post("/tokens", json={"name": "reading", "scopes": ["read"]})
        assert made.status_code == 201
        token = made.json()["token"]
        assert token not in approver.get("/tokens").text
        with server.client(token) as reading:
            assert reading.get("/me").json()["scopes"] == ["read"]
            assert_problem(reading.post("/proposals/prop_1/decisions", json={"decision": "approve"}), 403, "forbidden")
            assert_problem(reading.post("/ask", json={"text": "x"}), 403, "forbidden")
            approver.delete(f"/tokens/{made.json()['id']}")
            assert_problem(reading.get("/me"), 401, "sign_in_needed")


def test_an_operator_neither_decides_nor_sees_others_tokens(server) -> None:
    with server.sign_in("operator") as operator, server.sign_in("approver") as approver:
        made = approver.post("/tokens", json={"name": "mine", "scopes": ["read"]}).json()
        assert_problem(operator.post("/proposals/prop_1/decisions", json={"decision": "approve"}), 403, "forbidden")
        assert made["id"] not in operator.get("/tokens").text
        assert_problem(operator.delete(f"/tokens/{made['id']}"), 404, "not_found")


def test_an_approver_does_not_draft(server) -> None:
    with server.sign_in("approver") as approver:
        assert_problem(approver.post("/ask", json={"text": "x"}), 403, "forbidden")
        assert_problem(approver.post("/segments/ids", json={"expression": "everyone"}), 403, "forbidden")


@pytest.mark.parametrize(
    "body",
    [{}, {"expression": ""}, {"expression": "everyone", "extra": 1}, {"expression": 7}, [], "text"],
)
def test_a_body_that_does_not_fit_is_a_problem_that_names_the_place(server, body: object) -> None:
    with server.sign_in("operator") as operator:
        assert_problem(operator.post("/segments/count", json=body), 422, "bad_input")


def test_a_body_that_is_not_json(server) -> None:
    with server.sign_in("operator") as operator:
        answer = operator.post("/segments/count", content=b"{", headers={"content-type": "application/json"})
        assert_problem(answer, 422, "bad_input")


def test_a_rejected_value_is_not_repeated(server) -> None:
    with server.client() as anybody:
        answer = anybody.post("/sign-in", json={"account": "13800138000 x", "password": "secret-word"})
        assert_problem(answer, 422, "bad_input")
        assert "13800138000" not in answer.text
        assert "secret-word" not in answer.text


def test_an_oversized_body_is_refused_with_and_without_a_stated_length(server) -> None:
    big = json.dumps({"expression": "x" * 3_000_000}).encode()
    with server.sign_in("operator") as operator:
        headers = {"content-type": "application/json"}
        assert_problem(operator.post("/segments/count", content=big, headers=headers), 413, "too_large")
        pieces = (big[i : i + 65_536] for i in range(0, len(big), 65_536))
        assert_problem(operator.post("/segments/count", content=pieces, headers=headers), 413, "too_large")
        assert operator.get("/me").status_code == 200


@pytest.mark.parametrize(
    "text",
    [
        "1; DROP TABLE customers",
        "everyone'; --",
        "customer_id in (select 1)",
        "city = '' or 1=1 --'",
        "age < 35) or (1",
    ],
)
def test_sql_in_an_expression_is_no_expression(server, text: str) -> None:
    with server.sign_in("operator") as operator:
        before = operator.post("/segments/count", json={"expression": "everyone"}).json()["count"]
        answer = operator.post("/segments/count", json={"expression": text})
        assert answer.status_code in (404, 422)
        assert answer.json()["fix"]
        assert operator.post("/segments/count", json={"expression": "everyone"}).json()["count"] == before


def test_quotes_in_a_value_are_a_value(server) -> None:
    with server.sign_in("operator") as operator:
        answer = operator.post("/segments/count", json={"expression": 'city contains "o\'; drop"'})
        assert answer.status_code == 200
        assert answer.json()["count"] == 0


@pytest.mark.parametrize(
    "path", ["/evidence/..%2f..%2fhome.yaml", "/threads/..%2f..", "/canvases/cv_1%00", "/proposals/%27%20or%201=1"]
)
def test_ids_are_no_paths_and_no_sql(server, path: str) -> None:
    with server.sign_in("operator") as operator:
        answer = operator.get(path)
        assert answer.status_code in (404, 422)
        assert "clock_origin" not in answer.text


def test_unknown_routes_and_methods_are_problems(server) -> None:
    with server.sign_in("operator") as operator:
        assert_problem(operator.get("/nothing"), 404, "not_found")
        assert_problem(operator.put("/me"), 405, "bad_input")


def test_ids_come_as_parquet_and_leave_no_file_behind(server, tmp_path: Path) -> None:
    with server.sign_in("operator") as operator:
        counted = operator.post("/segments/count", json={"expression": "age < 35"}).json()["count"]
        answer = operator.post("/segments/ids", json={"expression": "age < 35"})
    (tmp_path / "ids.parquet").write_bytes(answer.content)
    table = pq.read_table(tmp_path / "ids.parquet")
    assert table.column_names == ["customer_id"]
    assert table.num_rows == counted > 0
    assert list(server.home.exports.glob("*.parquet")) == []
    assert list(server.home.exports.glob(".*parquet*")) == []


def test_the_log_holds_neither_personal_data_nor_queries(server) -> None:
    with server.sign_in("operator") as operator:
        operator.get("/catalog/search", params={"q": "canary13912345678"})
        operator.post("/segments/count", json={"expression": "city = 'canary13912345678'"})
    text = server.log.read_text()
    assert "canary13912345678" not in text
    assert '"route": "/catalog/search"' in text


def test_conversations_are_private(server) -> None:
    with server.sign_in("operator") as operator, server.sign_in("manager") as manager:
        answer = operator.post("/ask", json={"text": "代发客户有多少", "wait": True})
        assert answer.status_code == 200, answer.text
        thread = answer.json()["thread"]
        for path in (f"/threads/{thread}", f"/threads/{thread}/events", f"/threads/{thread}/stream"):
            assert_problem(manager.get(path), 403, "forbidden")
        assert_problem(manager.post("/ask", json={"text": "x", "thread": thread}), 403, "forbidden")
        assert thread not in manager.get("/threads").text
        assert thread in operator.get("/threads").text


def test_errors_come_in_the_language_asked_for(server) -> None:
    with server.sign_in("operator") as operator:
        operator.headers["Accept-Language"] = "zh-CN,zh;q=0.9"
        wrong = assert_problem(operator.post("/segments/count", json={"expression": "is_payrol"}), 422, "expression")
        assert "相近" in str(wrong["fix"])
        assert "请求不符合格式" in str(
            assert_problem(operator.post("/segments/count", json={}), 422, "bad_input")["detail"]
        )
        assert "没有这个路由" in str(assert_problem(operator.get("/nothing"), 404, "not_found")["detail"])
        del operator.headers["Accept-Language"]
        english = operator.post("/segments/count", json={"expression": "is_payrol"})
        assert "Nearest" in english.json()["fix"]


def test_a_list_is_uploaded_as_a_form_and_only_by_who_may(server) -> None:
    file = {"file": ("../../evil.csv", b"customer_id\n1\n2\n2\n")}
    with server.client() as anybody:
        assert_problem(anybody.post("/lists", data={"name": "vip"}, files=file), 401, "sign_in_needed")
    with server.sign_in("approver") as approver:
        assert_problem(approver.post("/lists", data={"name": "vip"}, files=file), 403, "forbidden")
    with server.sign_in("operator") as operator:
        made = operator.post("/lists", data={"name": "vip"}, files=file)
        assert made.status_code == 201, made.text
        assert (made.json()["matched"], made.json()["duplicates"]) == (2, 1)
        assert operator.post("/segments/count", json={"expression": "in_list('vip')"}).json()["count"] == 2
        assert_problem(operator.post("/lists", json={"name": "vip"}), 422, "bad_input")
        assert_problem(operator.post("/lists", data={"name": "vip"}), 422, "bad_input")
        assert_problem(operator.post("/lists", data={"name": "vip", "more": "x"}, files=file), 422, "bad_input")
        assert_problem(operator.post("/lists", data={"name": "vip", "named": "x"}, files=file), 422, "bad_input")
        four = {"name": "vip", "named": "", "several": "", "more": "x"}
        assert_problem(operator.post("/lists", data=four, files=file), 400, "bad_input")
        three_mb = b"customer_id\n" + b"1234567890\n" * 300_000 + b"1\n"
        large = operator.post("/lists", data={"name": "large"}, files={"file": ("x", three_mb)})
        assert large.status_code == 201, large.text
        assert_problem(
            operator.post("/lists", data={"name": "x"}, files={"file": ("x", bytes(65 << 20))}), 413, "too_large"
        )


def test_people_are_for_administrators(server) -> None:
    asked = {"account": "made", "roles": ["operator"], "password": "a long new password"}
    for account in ("operator", "approver", "manager"):
        with server.sign_in(account) as somebody:
            assert_problem(somebody.get("/people"), 403, "forbidden")
            assert_problem(somebody.post("/people", json=asked), 403, "forbidden")
            assert_problem(
                somebody.post("/people/admin/password", json={"password": "a long new one"}), 403, "forbidden"
            )
            assert_problem(somebody.post("/people/admin/disable", json={}), 403, "forbidden")
    with server.local("admin") as local:
        assert_problem(local.get("/people"), 401, "sign_in_needed")
    with server.sign_in("admin") as admin:
        assert {"operator", "admin"} <= {a["account"] for a in admin.get("/people").json()}
        assert "argon2" not in admin.get("/people").text
        both = {"account": "both", "roles": ["admin", "approver"], "password": "a long new password"}
        assert_problem(admin.post("/people", json=both), 422, "bad_input")


def test_policies_are_shown_with_their_digests(server) -> None:
    with server.sign_in("operator") as operator:
        policies = {policy["name"]: policy for policy in operator.get("/policies").json()}
    assert set(policies) == {"throttle", "approval"}
    assert all(policy["digest"].startswith("sha256:") for policy in policies.values())


def test_openapi_is_in_order(server) -> None:
    document = server.client().get("/openapi.json").json()
    assert document["openapi"].startswith("3.")
    for path, item in document["paths"].items():
        for method, operation in item.items():
            assert operation.get("description") or operation.get("summary"), (method, path)
            assert operation["tags"], (method, path)
            assert "4XX" in operation["responses"], (method, path)
    assert yaml.safe_dump(document)
