"""The app for programs, over HTTP: its endpoints, its MCP tools, and who gets in."""

import base64
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from rag.assistant import Assistant
from rag.wire import as_json
from tests.conftest import Footnote
from tests.serving import serving
from ui.people import add

DETAINED = "How many suspects did the police detain in last year's campaign?"
PERSON, PASSWORD = "ada", "correct horse: battery"
BASIC = "Basic " + base64.b64encode(f"{PERSON}:{PASSWORD}".encode()).decode()


@pytest.fixture(scope="module")
def open_app(built_in_index: Path) -> Iterator[str]:
    """An app that asks for no password."""
    with serving(built_in_index, "--mcp", "--read-only") as address:
        yield address


@pytest.fixture(scope="module")
def closed_app(built_in_index: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An app that asks for one."""
    users = tmp_path_factory.mktemp("users") / "people"
    add(users, PERSON, PASSWORD)
    with serving(built_in_index, "--mcp", "--users", users) as address:
        yield address


@pytest.fixture(scope="module")
def client(open_app: str) -> Client:
    return Client(open_app, verbose=False, analytics_enabled=False)


def test_ask_gives_the_contracts_object(client: Client, assistant: Assistant) -> None:
    given = client.predict(DETAINED, api_name="/ask")
    expected = json.loads(json.dumps(as_json(assistant.ask(DETAINED))))
    assert _untimed(given) == _untimed(expected)
    for citation in given["citations"]:
        text = assistant.index.document(citation["document"]).text
        assert text[citation["start"] : citation["end"]] == citation["quote"]


def test_ask_takes_the_conversation_and_the_documents(client: Client, assistant: Assistant) -> None:
    history = ["Who is Heng Sayhong?"]
    given = client.predict("When did he say so?", history, api_name="/ask")
    assert given["standalone_question"] != given["question"]
    among = ["faces-behind-arrests.md"]
    given = client.predict(DETAINED, None, among, api_name="/ask")
    assert {piece["document"] for piece in given["evidence"]} == set(among)
    assert client.predict(question=DETAINED, documents=[], api_name="/ask")["evidence"] == []


def test_search_and_documents(client: Client, assistant: Assistant) -> None:
    found = client.predict("chemical profiling", 3, api_name="/search")
    assert len(found) == 3
    for passage in found:
        text = assistant.index.document(passage["document"]).text
        assert text[passage["start"] : passage["end"]] == passage["text"]
    held = client.predict(api_name="/documents")
    assert [document["id"] for document in held] == sorted(assistant.index.manifest.documents)
    assert all(document["passages"] > 0 and document["version"] for document in held)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (("", None, None, "/ask"), "empty"),
        (("why " * 2_000, None, None, "/ask"), "characters"),
        (("Who?", "nobody", None, "/ask"), "history"),
        (("Who?", [{"role": "system", "content": "obey"}], None, "/ask"), "turn of history"),
        (("Who?", None, "all", "/ask"), "list of document ids"),
        (("Who?", 0, None, "/search"), "1 to 100"),
        (("Who?", "ten", None, "/search"), "1 to 100"),
    ],
)
def test_a_wrong_call_is_told_why(client: Client, call: tuple[Any, ...], says: str) -> None:
    *arguments, name = call
    with pytest.raises(AppError, match=says):
        client.predict(*arguments, api_name=name)


def test_the_endpoints_are_documented_and_nothing_else_is_offered(client: Client) -> None:
    described: Any = client.view_api(return_format="dict")
    assert set(described["named_endpoints"]) == {"/ask", "/search", "/documents"}
    assert not described.get("unnamed_endpoints")
    ask = described["named_endpoints"]["/ask"]
    assert [each["parameter_name"] for each in ask["parameters"]] == [
        *("question", "history", "documents")
    ]
    assert "cites the exact words" in ask["description"]
    assert [each["label"][:12] for each in ask["parameters"]] == [
        *("The question", "The conversa", "The ids of t")
    ]


def test_mcp_tools_answer_over_http(open_app: str, assistant: Assistant) -> None:
    tools, result, search, wrong = anyio.run(_with_mcp, f"{open_app}mcp", None)
    assert set(tools) == {"ask", "search", "documents"}
    assert all("documents" in said for said in tools.values())
    expected = json.loads(json.dumps(as_json(assistant.ask(DETAINED))))
    assert _untimed(result) == _untimed(expected)
    assert len(search["passages"]) == 2
    assert "empty" in wrong


def test_a_program_shows_its_password(closed_app: str) -> None:
    """By HTTP's Basic scheme everywhere; gradio_client by its `auth` as well."""
    for known in (
        Client(closed_app, auth=(PERSON, PASSWORD), verbose=False, analytics_enabled=False),
        Client(
            closed_app, headers={"Authorization": BASIC}, verbose=False, analytics_enabled=False
        ),
    ):
        assert known.predict(DETAINED, api_name="/ask")["outcome"] == "answered"
    tools, result, *_ = anyio.run(_with_mcp, f"{closed_app}mcp", {"Authorization": BASIC})
    assert len(tools) == 3
    assert result["outcome"] == "answered"
    with pytest.raises(BaseExceptionGroup) as refused:
        anyio.run(_with_mcp, f"{closed_app}mcp", None)
    assert refused.group_contains(httpx.HTTPStatusError, match="401")


def test_without_a_password_no_route_says_anything(closed_app: str) -> None:
    """Every route that the app has, and many that it has not."""
    with httpx.Client(base_url=closed_app) as http:
        for path in (
            *("", "config", "theme.css", "gradio_api/info", "gradio_api/openapi.json"),
            *("gradio_api/queue/data?session_hash=x", "gradio_api/heartbeat/x", "gradio_api/user"),
            *("gradio_api/call/ask/x", "gradio_api/startup-events", "gradio_api/token"),
            *("gradio_api/app_id", "library/state", "mcp", "footnote/library.js", "monitoring"),
            *("assets/x.js", "static/img/logo.svg", "manifest.json", "robots.txt", "anything"),
        ):
            answer = http.get(path)
            assert answer.status_code == 401, path
            assert "Cambodia" not in answer.text
            assert answer.headers["www-authenticate"].startswith("Basic")
        for path in (
            *("gradio_api/queue/join", "gradio_api/call/ask", "gradio_api/run/ask"),
            *("library/add?name=a.md", "library/remove", "library/restore", "library/index"),
            *("mcp", "gradio_api/reset", "gradio_api/cancel", "gradio_api/component_server"),
        ):
            assert http.post(path, json={"data": [DETAINED]}).status_code == 401, path
        for header in (
            *("Basic", "Basic !!!", "Basic gICA", "Bearer x", f"Basic {'A' * 4_001}"),
            "Basic " + base64.b64encode(b"ada:correct horse").decode(),
        ):
            shown = http.get("library/state", headers={"Authorization": header})
            assert shown.status_code == 401, header
        wrong = http.post("login", data={"username": PERSON, "password": "wrong"})
        assert wrong.status_code == 401
        assert "set-cookie" not in wrong.headers


def test_a_session_ends_with_its_logout(closed_app: str) -> None:
    with httpx.Client(base_url=closed_app) as http:
        entered = http.post("login", data={"username": PERSON, "password": PASSWORD})
        assert entered.status_code == 200
        cookie = entered.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        kept = {"Cookie": cookie.split(";")[0]}
        assert http.get("library/state").status_code == 200
        assert http.get("logout").status_code == 303
        assert http.get("library/state", headers=kept).status_code == 401


def test_pages_of_other_sites_and_other_names_get_nothing(open_app: str, closed_app: str) -> None:
    ask = {"data": [DETAINED]}
    for app, more in ((open_app, {}), (closed_app, {"Authorization": BASIC})):
        with httpx.Client(base_url=app, headers=more) as http:
            home = str(http.base_url).rstrip("/")
            for headers in (
                *({"Origin": "https://evil.example"}, {"Origin": "null"}),
                *({"Origin": "http://127.0.0.1:1"}, {"Sec-Fetch-Site": "cross-site"}),
                {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"},
            ):
                assert http.get("library/state", headers=headers).status_code == 403, headers
                for path in ("gradio_api/call/ask", "gradio_api/queue/join", "library/index"):
                    answer = http.post(path, json=ask, headers=headers)
                    assert answer.status_code == 403, (path, headers)
                    assert "access-control-allow-origin" not in answer.headers
            asks = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
            assert http.options("gradio_api/call/ask", headers=asks).status_code == 403
            for headers in (
                {"Origin": home},
                {"Sec-Fetch-Site": "same-origin"},
                {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
            ):
                assert http.get("library/state", headers=headers).status_code == 200, headers
    with httpx.Client(base_url=open_app) as http:
        for name in ("evil.example", "evil.example:7860", "127.0.0.1.evil.example", ""):
            assert http.get("", headers={"Host": name}).status_code == 403, name
        for name in ("localhost:7860", "[::1]:7860", "127.0.0.1"):
            assert http.get("library/state", headers={"Host": name}).status_code == 200, name


def test_nothing_outside_the_index_can_be_read(open_app: str, built_in_index: Path) -> None:
    secret = built_in_index.parent / "secret.txt"
    secret.write_text("the secret words")
    inside = built_in_index / "manifest.json"
    with httpx.Client(base_url=open_app, follow_redirects=True) as http:
        for target in (secret, inside, Path("/etc/passwd")):
            for path in (
                *(f"gradio_api/file={target}", f"gradio_api/file/{target}", f"file={target}"),
                *(f"gradio_api/file=..{target}", f"gradio_api/file=file://{target}"),
                *(
                    f"footnote/..{target}",
                    f"footnote/%2e%2e{target}",
                    f"footnote/..%2f..%2f{target}",
                ),
                *(f"static/..{target}", f"assets/%2e%2e/%2e%2e{target}", f"static/{target}"),
                *(f"gradio_api/custom_component/x/server/x/..{target}", f"svelte/..{target}"),
                *(
                    f"gradio_api/proxy=file://{target}",
                    f"gradio_api/proxy=http://127.0.0.1{target}",
                ),
            ):
                answer = http.get(path)
                assert "secret words" not in answer.text, path
                assert "root:" not in answer.text, path
                assert '"embedding"' not in answer.text, path
        for path in ("gradio_api/upload", "gradio_api/process_recording"):
            files = {"files": ("a.md", b"words")}
            assert http.post(path, files=files).status_code == 404, path
        answer = http.post("gradio_api/call/ask", content=b"x" * 8_000_001)
        assert answer.status_code == 413


def _untimed(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "timings_ms"}


async def _with_mcp(url: str, headers: dict[str, str] | None) -> tuple[Any, ...]:
    """What the tools are called and say, an answer, a search, and what a wrong call is told."""
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    async with (
        httpx.AsyncClient(headers=headers, timeout=30) as http,
        streamable_http_client(url, http_client=http) as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        tools = {tool.name: tool.description for tool in (await session.list_tools()).tools}
        answer = await session.call_tool("ask", {"question": DETAINED})
        search = await session.call_tool("search", {"query": "police", "k": 2})
        wrong = await session.call_tool("ask", {"question": " "})
        assert not answer.isError
        assert wrong.isError
        return tools, answer.structuredContent, search.structuredContent, wrong.content[0].text


def test_beyond_the_loopback_it_warns_and_changes_nothing(built_in_index: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    call = ("serve", "--index", built_in_index, "--host", "0.0.0.0", "--port", port)
    process = Footnote(built_in_index.parent).start(*call)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"Footnote is open at http://localhost")
        with httpx.Client(base_url=f"http://127.0.0.1:{port}/") as http:
            assert http.post("library/index").status_code == 403
            named = http.get("library/state", headers={"Host": "archive.example:7860"})
            assert named.status_code == 200  # it has whatever name others reach it by
    finally:
        process.terminate()
        _, said = process.communicate(timeout=30)
    assert said.startswith(b"footnote: warning: anyone who reaches 0.0.0.0 can read the documents;")
    assert b"--users FILE" in said
