"""A bot for a channel's chat, of the public API alone: what it calls, it finds in the server's own description by an operation's
name; what it hears and is told, it takes from docs/. If it gets by, so does whoever writes one."""

import asyncio
import json
import queue
import re
import subprocess
import tempfile
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from conftest import BINARY, Person, Server
from websockets.asyncio.client import connect

DOCS = Path(__file__).resolve().parents[2] / "docs"
TIMEOUT = 20


class Api:
    """Operations by their names in the description."""

    def __init__(self, server, **headers):
        self.server = server
        self.headers = {"Content-Type": "application/json", **headers}
        with urllib.request.urlopen(server.http + "/api/v1/openapi.json", timeout=TIMEOUT) as answer:
            paths = json.load(answer)["paths"]
        self.operations = {
            operation["operationId"]: (method.upper(), path, operation)
            for path, methods in paths.items()
            for method, operation in methods.items()
            if isinstance(operation, dict) and "operationId" in operation
        }

    def call(self, wanted, /, body=None, **values):
        method, path, operation = self.operations[wanted]
        for parameter in operation.get("parameters", []):
            if parameter["in"] == "path":
                path = path.replace("{%s}" % parameter["name"], values[parameter["name"]])
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.server.http + path, data, self.headers, method=method)
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            assert str(answer.status) in operation["responses"], (wanted, answer.status)
            text = answer.read()
        return json.loads(text) if text else None


class Bot:
    """Greets, keeps links and repetitions out, asks what comes next, and thanks who follows."""

    LINKS = re.compile(r"https://(docs|www)\.weir\.example/")

    def __init__(self, server, token, channel):
        self.server, self.channel = server, channel
        self.authorization = {"Authorization": f"Bearer {token}"}
        self.api = Api(server, **self.authorization)
        self.own, self.last, self.poll = None, {}, None

    def do(self, operation, /, body=None, **values):
        return self.api.call(operation, body, name=self.channel, **values)

    def say(self, text):
        self.do("sendMessage", {"text": text})

    async def run(self, ready):
        self.own = self.do("readChat")["you"]["id"]
        url = self.server.http.replace("http://", "ws://") + "/api/v1/events"
        async with connect(url, additional_headers=self.authorization) as ws:
            for topic, own in (("chat:stream_messages:v1", "chat"), ("channel:stream_events:v1", "occurrences")):
                request = {"event": f"{topic}:requested", "id": own, "payload": {"channel": self.channel}}
                await ws.send(json.dumps(request))
            started = 0
            async for text in ws:
                message = json.loads(text)
                kind = message["event"].rsplit(":", 1)[1]
                assert kind != "failed", message
                started += kind == "started"
                if started == 2 and not ready.is_set():
                    ready.set()
                if kind == "stream" and message["id"] == "chat":
                    for update in message["payload"]["updates"]:
                        await asyncio.to_thread(self.heard, update)
                elif kind == "stream" and message["payload"]["type"] == "ChatMessageHeld":
                    await asyncio.to_thread(self.look)

    def heard(self, update):
        if update["type"] == "poll" and update["poll"]["ended"]:
            best = max(update["poll"]["options"], key=lambda option: option["votes"])
            self.say(f"{best['text']} it is!")
        if update["type"] != "message" or update["author"]["id"] == self.own:
            return
        author, text = update["author"], "".join(fragment["text"] for fragment in update["fragments"])
        if text == "!hello":
            self.do("sendMessage", {"text": f"Hello {author['name']}!", "replyTo": update["id"]})
        elif text == "!next" and not self.poll:
            poll = {"question": "What next?", "options": ["Clay", "Stones"], "seconds": 60}
            self.poll = self.do("startPoll", poll)["id"]
        elif text == "!end":
            self.do("endPoll")
        elif text == self.last.get(author["id"]):
            card = self.do("readPersonCard", person=author["id"])
            assert card["name"] == author["name"]
            silence = {"person": author["id"], "seconds": 600, "reason": "The same over and over"}
            self.do("silencePerson", silence)
        self.last[author["id"]] = text

    def look(self):
        for held in self.do("listHeldMessages")["items"]:
            text = "".join(fragment["text"] for fragment in held["fragments"])
            self.do("decideHeldMessage", {"approve": bool(self.LINKS.search(text))}, id=held["id"])


class Guest:
    """Somebody without an account, as a proxy on this machine says from where: what holds for a guest holds for their network."""

    def __init__(self, server, name, address):
        origin = {"X-Forwarded-For": address}
        made = Api(server, **origin).call("createGuest", {"name": name})
        self.api = Api(server, **origin, **{"Weir-Guest": made["token"]})

    def say(self, text):
        return self.api.call("sendMessage", {"text": text}, name="talk")


@pytest.fixture
def receiver():
    """Takes webhooks."""
    taken = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            taken.put((dict((name.lower(), value) for name, value in self.headers.items()), body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{listener.server_port}/weir", taken
    listener.shutdown()
    listener.server_close()


def is_genuine():
    """The check that docs/webhooks.md shows."""
    space = {}
    exec(re.search(r"```python\n(.*?)```", (DOCS / "webhooks.md").read_text(), re.S)[1], space)
    return space["is_genuine"]


def account(server, name):
    """A new account's password, from the shell."""
    made = subprocess.run(
        [BINARY, "account", "create", name, "--json"], env=server.environment, cwd=server.log_path.parent,
        check=True, capture_output=True, text=True,
    )
    return json.loads(made.stdout)["password"]


def test_a_bot_keeps_a_channel_by_the_public_api_alone(receiver):
    url, taken = receiver
    with tempfile.TemporaryDirectory(prefix="weir-interop-") as folder:
        server = Server(Path(folder), WEIR_OUTGOING_ALLOW="127.0.0.0/8")
        try:
            keep(server, url, taken)
        except BaseException:
            print(server.log_path.read_text()[-6000:])
            raise
        finally:
            server.stop()


def keep(server, url, taken):
    link = re.search(r"/set-up\?token=(\S+)", server.log_path.read_text())[1]
    owner = Person(server, "setup", {
        "token": link, "name": "ada", "displayName": "Ada", "channel": "talk", "password": "correct horse battery",
    })
    robot, fan = (
        Person(server, "login", {"name": name, "password": account(server, name)}) for name in ("robot", "fan")
    )
    owner.call("PUT", "channels/talk/moderators/robot", {})
    owner.call("PUT", "channels/talk/chat/filters", {"links": "hold"})
    hook = owner.call("POST", "channels/talk/webhooks", {"url": url, "kinds": ["FollowCreated", "ActionTaken"]})
    token = robot.call("POST", "me/tokens", {"label": "Bot", "scopes": ["read", "chat:write", "chat:moderate"]})
    bot = Bot(server, token["secret"], "talk")
    # What it may not, it can't: the channel is not its own.
    with pytest.raises(urllib.error.HTTPError) as refused:
        bot.do("editChannel", {"title": "Mine"})
    assert refused.value.code == 403 and json.load(refused.value)["type"] == "/problems/missing-scope"

    ben, troll = Guest(server, "Ben", "192.0.2.1"), Guest(server, "Troll", "192.0.2.2")
    room = Api(server)

    def texts():
        items = room.call("listMessages", name="talk")["items"]
        return [(item["author"]["name"], "".join(part["text"] for part in item["fragments"])) for item in items]

    async def until(fits, what):
        for _ in range(TIMEOUT * 20):
            if value := await asyncio.to_thread(fits):
                return value
            await asyncio.sleep(0.05)
        raise AssertionError(f"{what}: {await asyncio.to_thread(texts)}")

    async def run():
        ready = asyncio.Event()
        task = asyncio.create_task(bot.run(ready))
        try:
            await asyncio.wait_for(ready.wait(), TIMEOUT)
            await asyncio.to_thread(ben.say, "!hello")
            await until(lambda: ("robot", "Hello Ben!") in texts(), "a greeting")
            # Links wait until it has looked at them.
            await asyncio.to_thread(ben.say, "See https://docs.weir.example/start")
            await asyncio.to_thread(troll.say, "See https://buy.example/followers")
            await until(lambda: ("Ben", "See https://docs.weir.example/start") in texts(), "a link that is let through")
            await until(lambda: not bot.do("listHeldMessages")["items"], "an empty queue")
            assert all("buy.example" not in text for _, text in texts())
            # The same twice is once too often.
            for _ in range(2):
                await asyncio.to_thread(troll.say, "Buy followers")
            await until(lambda: bot.do("listSilences")["items"], "a time-out")
            assert all(name != "Troll" for name, _ in texts()), "what they wrote is gone"
            with pytest.raises(urllib.error.HTTPError) as timed_out:
                await asyncio.to_thread(troll.say, "Me again")
            assert json.load(timed_out.value)["type"] == "/problems/timed-out"
            # A poll, answered and over.
            await asyncio.to_thread(ben.say, "!next")
            poll = await until(lambda: bot.poll, "a poll")
            await asyncio.to_thread(ben.api.call, "votePoll", {"option": 1}, name="talk", id=poll)
            await asyncio.to_thread(ben.say, "!end")
            await until(lambda: ("robot", "Stones it is!") in texts(), "a result")
        finally:
            if task.done():
                task.result()
            task.cancel()

    asyncio.run(run())
    # Webhooks tell the same, signed.
    fan.call("PUT", "channels/talk/follow")
    genuine, seen = is_genuine(), {}
    while "FollowCreated" not in seen or "chat.timedOut" not in seen:
        headers, body = taken.get(timeout=TIMEOUT)
        assert genuine(hook["secret"], headers, body)
        assert not genuine(hook["secret"], headers, body + b" ")
        told = json.loads(body)
        seen[told["data"].get("action", told["type"])] = told["data"]
    assert seen["FollowCreated"]["follower"]["account"] == "fan"
    assert seen["chat.timedOut"]["actor"]["name"] == "robot"
