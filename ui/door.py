"""The door of the app: every request comes through here, whatever part of it answers.

Who does not show a password gets nothing but the page that asks for it. A page of another site
gets nothing at all, nor does a name that leads to this machine without being its own: so no web
page that somebody has open can read the documents or change them. What Gradio offers and the app
has no use for is closed: files, uploads, proxies.
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
import secrets
import time
from html import escape
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.people import People
from ui.server import is_loopback

ASSETS = Path(__file__).parent / "assets"
USER = "footnote.user"  # the key of the request's scope that names who asks
SESSION = 14 * 24 * 3600.0
LARGEST_BODY = 8_000_000  # bytes; what uploads files has its own limit
PATIENCE = 1.0  # seconds that a wrong password costs
_FONTS = "/footnote/source-serif-"
_CLOSED = tuple(
    f"/gradio_api/{name}"
    for name in (
        *("upload", "file", "proxy", "stream", "process_recording", "vibe", "undo-vibe"),
        *("custom_component", "dev", "run-history", "profiling"),
    )
)
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:;"
    " style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:;"
    " worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self';"
    " frame-ancestors 'self'"
)


class Door:
    """The whole app behind one check. `uploads` is where larger bodies may be sent to.

    `people`: who may come in; None for everybody. `at_home`: only this machine's names are its own.
    """

    def __init__(
        self, app: ASGIApp, people: People | None, at_home: bool, uploads: str = ""
    ) -> None:
        self._app = app
        self._people = people
        self._at_home = at_home and people is None
        self._uploads = uploads
        self._sessions: dict[str, tuple[str, str, float]] = {}  # token → name, hash, until
        self._shown: dict[bytes, tuple[str, str]] = {}  # a password that was right → name, hash
        self._key = secrets.token_bytes(32)
        self._tries = asyncio.Semaphore(4)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            sent = _sending(send)
            answer = await self._refusal(scope, receive)
            if answer is not None:
                await answer(scope, receive, sent)
            else:
                limit = None if scope["path"] == self._uploads else LARGEST_BODY
                await self._app(scope, _receiving(receive, limit), sent)
        else:  # the app has no web sockets
            await send({"type": "websocket.close", "code": 1008})

    async def _refusal(self, scope: Scope, receive: Receive) -> Response | None:
        """What a request gets that does not come in; None where it may."""
        headers, path = Headers(scope=scope), scope["path"]
        if self._at_home and not _is_home(headers.get("host", "")):
            return PlainTextResponse(
                "This Footnote serves its own machine only: open it as localhost.", 403
            )
        if _is_foreign(scope["method"], headers):
            return PlainTextResponse("Not from another site.", 403)
        if path.startswith(_CLOSED):
            return PlainTextResponse("There is nothing here.", 404)
        if _length(headers) > LARGEST_BODY and path != self._uploads:
            return PlainTextResponse("That is too much at once.", 413)
        if self._people is None:
            return None
        if path == "/login" and scope["method"] == "POST":
            return await self._login(scope, headers, receive)
        if path == "/logout":
            return self._logout(scope, headers)
        name = await self._who(self._people, scope, headers)
        if name is not None:
            scope[USER] = name
            return _to_the_app() if path == "/login" else None
        if path == "/favicon.ico" or (path.startswith(_FONTS) and path.endswith(".woff2")):
            return None
        return _stranger(headers, path)

    async def _who(self, people: People, scope: Scope, headers: Headers) -> str | None:
        token = _cookies(headers).get(_cookie(scope))
        name, line, until = self._sessions.get(token or "", ("", "", 0.0))
        if until > time.monotonic() and people.hash_of(name) == line:
            return name
        kind, _, given = headers.get("authorization", "").partition(" ")
        if kind.lower() != "basic":
            return None
        try:
            name, _, password = base64.b64decode(given).decode("utf-8").partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        # The hash is slow on purpose; a program shows its password with every request.
        digest = hmac.digest(self._key, f"{name}:{password}".encode(), hashlib.sha256)
        name_then, line_then = self._shown.get(digest, ("", ""))
        if name_then and people.hash_of(name_then) == line_then:
            return name_then
        if await self._knows(people, name, password):
            self._shown[digest] = (name, people.hash_of(name) or "")
            return name
        return None

    async def _knows(self, people: People, name: str, password: str) -> bool:
        async with self._tries:
            known = await run_in_threadpool(people.knows, name, password)
            if not known:
                await asyncio.sleep(PATIENCE)
        return known

    async def _login(self, scope: Scope, headers: Headers, receive: Receive) -> Response:
        """The form that asks for the name and the password, as people and gradio_client send it."""
        assert self._people is not None
        try:
            form = parse_qs((await _body(receive, 10_000)).decode("utf-8"))
        except ValueError:
            form = {}
        name = form.get("username", [""])[0].strip()
        password = form.get("password", [""])[0]
        if not await self._knows(self._people, name, password):
            wrong = "That name and password do not go together."
            if _is_page(headers):
                return HTMLResponse(_page("./", wrong, name), 401)
            return JSONResponse({"detail": wrong}, 401)
        now = time.monotonic()
        self._sessions = {t: s for t, s in self._sessions.items() if s[2] > now}
        token = secrets.token_urlsafe(32)
        self._sessions[token] = (name, self._people.hash_of(name) or "", now + SESSION)
        answer: Response = JSONResponse({"success": True})
        if _is_page(headers):
            answer = _to_the_app()
        secure = "https" in (scope["scheme"], headers.get("x-forwarded-proto", ""))
        answer.set_cookie(
            _cookie(scope), token, int(SESSION), httponly=True, samesite="lax", secure=secure
        )
        return answer

    def _logout(self, scope: Scope, headers: Headers) -> Response:
        self._sessions.pop(_cookies(headers).get(_cookie(scope), ""), None)
        answer = _to_the_app()
        answer.delete_cookie(_cookie(scope))
        return answer


def _to_the_app() -> Response:
    return Response(status_code=303, headers={"location": "./"})


def _stranger(headers: Headers, path: str) -> Response:
    if _is_page(headers):
        return HTMLResponse(_page("../" * (path.count("/") - 1) or "./"), 401)
    # A browser would ask with a box of its own in the middle of the page.
    asks = {} if "sec-fetch-mode" in headers else {"www-authenticate": 'Basic realm="Footnote"'}
    return JSONResponse({"detail": "Not authenticated"}, 401, asks)


def _page(root: str, problem: str = "", name: str = "") -> str:
    """The page that asks for a name and a password; `root` leads to the app from where it is."""
    page = (ASSETS / "login.html").read_text("utf-8")
    said = f'<p class="problem" role="alert">{escape(problem)}</p>' if problem else ""
    for place, words in (
        ("/* style */", (ASSETS / "login.css").read_text("utf-8")),
        ("./", root),
        ("<!-- problem -->", said),
        ("<!-- name -->", escape(name)),
    ):
        page = page.replace(place, words)
    return page


def _is_home(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    return is_loopback(name) or name.endswith(".localhost")


def _is_foreign(method: str, headers: Headers) -> bool:
    """Whether a page of another site asks; a link to the app from there may be followed."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site in ("cross-site", "same-site"):
        return method != "GET" or headers.get("sec-fetch-mode") != "navigate"
    if site is not None or origin is None:
        return False
    own = {headers.get("host", ""), headers.get("x-forwarded-host", "")} - {""}
    return urlsplit(origin).netloc not in own


def _is_page(headers: Headers) -> bool:
    return "text/html" in headers.get("accept", "")


def _length(headers: Headers) -> int:
    given = headers.get("content-length", "0")
    return int(given) if given.isascii() and given.isdigit() else 0


def _cookie(scope: Scope) -> str:
    """Cookies do not keep ports apart, so the name does."""
    server = scope.get("server") or ("", 0)
    return f"footnote-{server[1]}"


def _cookies(headers: Headers) -> dict[str, str]:
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(headers.get("cookie", ""))
    except CookieError:
        return {}
    return {name: morsel.value for name, morsel in jar.items()}


async def _body(receive: Receive, most: int) -> bytes:
    body = bytearray()
    while len(body) <= most:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return bytes(body)
    return b""


def _receiving(receive: Receive, most: int | None) -> Receive:
    """The same, that ends where more comes than was announced or may."""
    if most is None:
        return receive
    left = most

    async def received() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        return message if left >= 0 else {"type": "http.disconnect"}

    return received


def _sending(send: Send) -> Send:
    """Every answer says that it is for this app's own pages alone."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            del headers["access-control-allow-origin"]
            del headers["access-control-allow-credentials"]
            headers["content-security-policy"] = _POLICY
            headers["x-content-type-options"] = "nosniff"
            headers["referrer-policy"] = "same-origin"
        await send(message)

    return sent
