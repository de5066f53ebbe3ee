"""The API, by its own description and by clients that were written from docs/ alone."""

import asyncio
import json
import re
import urllib.request
from pathlib import Path

import pytest
from openapi_spec_validator import validate
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import InvalidStatus

DOCS = Path(__file__).resolve().parents[2] / "docs"


def call(server, path, body=None, headers=None):
    """The answer to a request, and its status."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", **(headers or {})}
    request = urllib.request.Request(server.http + path, data, headers)
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response), response.status


def socket(server):
    return server.http.replace("http://", "ws://") + "/api/v1/events"


def client():
    """The client that docs/events.md shows in full, without its last line, which runs it."""
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / "events.md").read_text(), re.S)
    assert len(blocks) == 1
    code = blocks[0].replace("asyncio.run(main())", "")
    assert code != blocks[0]
    space = {}
    exec(code, space)
    return space["follow"]


def test_the_description_is_valid(server):
    document, status = call(server, "/api/v1/openapi.json")
    assert (status, document["openapi"]) == (200, "3.1.0")
    validate(document)


def test_every_json_in_the_documentation_is_json():
    for page in ("events.md", "embed.md", "api.md"):
        for block in re.findall(r"```json\n(.*?)```", (DOCS / page).read_text(), re.S):
            rest = block.replace("[ … ]", "[]").replace("{…}", "{}").strip()
            while rest:
                _, end = json.JSONDecoder().raw_decode(rest)
                rest = rest[end:].strip()


def test_the_client_of_the_documentation_follows_and_resumes(server):
    server.create_channel("paper")
    follow = client()

    async def first(topic, payload_of):
        async for payload in follow(socket(server), topic, "paper"):
            if payload_of(payload):
                return payload

    async def run():
        state = await asyncio.wait_for(first("channel:stream_state:v1", lambda _: True), 10)
        assert (state["channel"], state["state"], state["viewerCount"]) == ("paper", "offline", 0)
        with pytest.raises(RuntimeError, match="no channel"):
            async for _ in follow(socket(server), "channel:stream_state:v1", "nobody"):
                raise AssertionError("nothing is streamed of a channel that isn't there")

    asyncio.run(run())


def test_the_client_of_the_documentation_outlives_a_restart():
    """Against a server that does all that a restarting one may, in turn."""
    asked, statuses = [], [None, 503, None, 401]

    def admit(connection, _):
        status = statuses.pop(0)
        return None if status is None else connection.respond(status, "No.")

    async def handle(ws):
        request = json.loads(await ws.recv())
        asked.append(request.get("after"))
        event = request["event"].replace("requested", "stream")
        await ws.send(json.dumps({"event": event, "id": request["id"], "cursor": len(asked), "payload": len(asked)}))
        await ws.close(1012)

    async def run():
        async with serve(handle, "127.0.0.1", 0, process_request=admit) as listener:
            url = f"ws://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
            follower, seen = client()(url, "channel:stream_state:v1", "paper"), []
            with pytest.raises(InvalidStatus):
                while True:
                    seen.append(await asyncio.wait_for(anext(follower), 20))
            assert (seen, asked, statuses) == ([1, 2], [None, 1], [])

    asyncio.run(run())


def test_a_guest_chats_as_the_documentation_says(server):
    server.create_channel("talk")
    guest, status = call(server, "/api/v1/chat/guests", {"name": "Ben"})
    assert status == 201 and guest["author"]["badges"] == ["guest"]

    async def until(ws, event):
        while True:
            message = json.loads(await asyncio.wait_for(ws.recv(), 10))
            if message["event"] == event:
                return message
            assert not message["event"].endswith(":failed"), message

    async def run():
        async with connect(socket(server)) as reader, connect(socket(server)) as writer:
            request = {"event": "chat:stream_messages:v1:requested", "id": "c", "payload": {"channel": "talk"}}
            await reader.send(json.dumps(request))
            started = await until(reader, "chat:stream_messages:v1:started")
            assert started["payload"] == {"complete": True}
            payload = {"channel": "talk", "text": "Hello :wave: <b>", "key": "6f1c2a", "guest": guest["token"]}
            places = set()
            for name in ("m1", "m2"):
                request = {"event": "chat:send_message:v1:requested", "id": name, "payload": payload}
                await writer.send(json.dumps(request))
                places.add((await until(writer, "chat:send_message:v1:success"))["payload"]["sequence"])
            assert len(places) == 1, "the same key is taken once"
            while True:
                message = await until(reader, "chat:stream_messages:v1:stream")
                updates = [update for update in message["payload"]["updates"] if update["type"] == "message"]
                if updates:
                    break
            assert "".join(fragment["text"] for fragment in updates[0]["fragments"]) == "Hello :wave: <b>"
            assert {"text", "emote"} == {fragment["type"] for fragment in updates[0]["fragments"]}
            assert updates[0]["sequence"] in places
        # And by a cursor from before it, after the connection was lost.
        async with connect(socket(server)) as again:
            request["event"], request["id"] = "chat:stream_messages:v1:requested", "back"
            request["payload"], request["after"] = {"channel": "talk"}, started.get("cursor", 0)
            await again.send(json.dumps(request))
            message = await until(again, "chat:stream_messages:v1:stream")
            assert [update["id"] for update in message["payload"]["updates"]] == [updates[0]["id"]]

    asyncio.run(run())


def test_oembed_says_what_the_documentation_says(server):
    server.create_channel("shown")
    answer, _ = call(server, f"/oembed?url={server.http}/shown&maxwidth=800")
    shown = re.search(r'{"type": "video".*?}\n', (DOCS / "embed.md").read_text(), re.S).group()
    assert set(answer) == set(json.loads(shown))
    assert (answer["width"], answer["height"]) == (800, 450)
