"""aiortc as a WHIP publisher and a WHEP player: an implementation of WebRTC that no one here wrote."""

import asyncio
import fractions
import math
import urllib.error
import urllib.request
from urllib.parse import urljoin

import av
import pytest
from aiortc import AudioStreamTrack, RTCPeerConnection, RTCRtpSender, RTCSessionDescription, VideoStreamTrack
from aiortc.contrib.media import MediaBlackhole
from aiortc.mediastreams import MediaStreamError

SIZE = (640, 360)
# Left, middle and right third, as a person would name them.
COLOURS = [(220, 40, 40), (40, 180, 60), (40, 60, 220)]
TONE = 440
RATE = 48_000


class Stripes(VideoStreamTrack):
    """Three stripes, and a white bar that moves."""

    def __init__(self):
        super().__init__()
        self.count = 0

    async def recv(self):
        timestamp, time_base = await self.next_timestamp()
        width, height = SIZE
        row = b"".join(bytes(COLOURS[x * 3 // width]) for x in range(width))
        bar = self.count * 8 % (height - 20)
        picture = row * bar + bytes([255]) * len(row) * 10 + row * (height - bar - 10)
        frame = av.VideoFrame(width, height, "rgb24")
        plane = frame.planes[0]
        if plane.line_size == width * 3:
            plane.update(picture)
        else:
            padding = bytes(plane.line_size - width * 3)
            lines = (picture[y * width * 3:(y + 1) * width * 3] + padding for y in range(height))
            plane.update(b"".join(lines))
        frame = frame.reformat(format="yuv420p")
        frame.pts, frame.time_base = timestamp, time_base
        self.count += 1
        return frame


class Tone(AudioStreamTrack):
    """A sine."""

    def __init__(self):
        super().__init__()
        self.position = 0

    async def recv(self):
        paced = await super().recv()  # 20 ms of silence, in time
        count = RATE // 50
        samples = bytearray()
        for i in range(self.position, self.position + count):
            samples += int(12_000 * math.sin(2 * math.pi * TONE * i / RATE)).to_bytes(2, "little", signed=True)
        frame = av.AudioFrame(format="s16", layout="mono", samples=count)
        frame.planes[0].update(bytes(samples))
        frame.sample_rate, frame.pts, frame.time_base = RATE, self.position, fractions.Fraction(1, RATE)
        self.position += count
        del paced
        return frame


def request(method, url, body=None, key=None, content_type="application/sdp"):
    headers = {"content-type": content_type} if body is not None else {}
    if key:
        headers["authorization"] = f"Bearer {key}"
    data = body.encode() if body is not None else None
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method), timeout=10) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


async def negotiate(peer, url, key=None):
    """POST the offer, take the answer; gives the session's URL."""
    await peer.setLocalDescription(await peer.createOffer())
    status, headers, body = await asyncio.to_thread(request, "POST", url, peer.localDescription.sdp, key)
    assert status == 201, f"{status}: {body}"
    assert headers["content-type"] == "application/sdp"
    await peer.setRemoteDescription(RTCSessionDescription(sdp=body, type="answer"))
    return urljoin(url, headers["location"])


async def publish(server, channel, key, codec):
    peer = RTCPeerConnection()
    audio = peer.addTransceiver(Tone(), direction="sendonly")
    video = peer.addTransceiver(Stripes(), direction="sendonly")
    offered = RTCRtpSender.getCapabilities("video").codecs
    video.setCodecPreferences([c for c in offered if c.mimeType in (f"video/{codec}", "video/rtx")])
    del audio
    session = await negotiate(peer, f"{server.http}/whip/{channel}", key)
    return peer, session


async def until(condition, what, timeout=10):
    """Asks until there is something true."""
    deadline = asyncio.get_running_loop().time() + timeout
    while True:
        value = condition()
        if asyncio.iscoroutine(value):
            value = await value
        if value:
            return value
        assert asyncio.get_running_loop().time() < deadline, f"{what}: not within {timeout} s"
        await asyncio.sleep(0.05)


async def state(server, channel):
    return await asyncio.to_thread(server.state, channel)


async def is_live(server, channel):
    return (await state(server, channel))["state"] == "live"


def colours(frame):
    picture = frame.reformat(format="rgb24")
    plane, width, height = picture.planes[0], picture.width, picture.height
    data = bytes(plane)
    seen = []
    for third in range(3):
        # The bar passes through; of five heights most show the stripe.
        at = [(height * y // 6) * plane.line_size + (width * (2 * third + 1) // 6) * 3 for y in range(1, 6)]
        pixels = sorted((tuple(data[i:i + 3]) for i in at), key=sum)
        seen.append(pixels[1])
    return seen


def close(one, other):
    return all(abs(a - b) < 50 for a, b in zip(one, other))


class Watched:
    """What a player decoded."""

    def __init__(self, peer):
        self.frames, self.size, self.right, self.loudness = 0, None, False, 0
        self.tasks = []
        peer.on("track", lambda track: self.tasks.append(asyncio.ensure_future(self.take(track))))

    async def take(self, track):
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            if track.kind == "video":
                self.frames += 1
                self.size = (frame.width, frame.height)
                self.right = all(close(a, b) for a, b in zip(colours(frame), COLOURS))
            else:
                data = bytes(frame.planes[0])[: frame.samples * 2]
                values = (int.from_bytes(data[i:i + 2], "little", signed=True) for i in range(0, len(data) - 1, 2))
                self.loudness = max(self.loudness, max(map(abs, values), default=0))


async def play(server, channel):
    peer = RTCPeerConnection()
    watched = Watched(peer)
    peer.addTransceiver("video", direction="recvonly")
    peer.addTransceiver("audio", direction="recvonly")
    session = await negotiate(peer, f"{server.http}/whep/{channel}")
    return peer, session, watched


@pytest.mark.parametrize("codec", ["VP8", "H264"])
def test_publishes_and_plays(server, codec):
    key = server.create_channel("ada")

    async def scenario():
        publisher, session = await publish(server, "ada", key, codec)
        try:
            await until(lambda: is_live(server, "ada"), "live")
            player, playing, watched = await play(server, "ada")
            await until(lambda: watched.frames > 30, f"decoded frames ({watched.frames})", 15)
            await until(lambda: watched.right, "the stripes that were sent")
            await until(lambda: watched.loudness > 3000, "the tone")
            assert watched.size[0] / watched.size[1] == SIZE[0] / SIZE[1]
            live = await state(server, "ada")
            assert {rendition["codec"] for rendition in live["renditions"]} >= {codec}, live
            assert live["viewerCount"] == 1
            assert (await asyncio.to_thread(request, "DELETE", playing))[0] == 200
            await player.close()
            await until(lambda: nobody(server), "nobody watches")
        finally:
            assert (await asyncio.to_thread(request, "DELETE", session, None, key))[0] == 200
            await publisher.close()
        await until(lambda: ended(server), "the end", 3)

    asyncio.run(scenario())


async def nobody(server):
    return (await state(server, "ada"))["viewerCount"] == 0


async def ended(server):
    return (await state(server, "ada"))["state"] == "ended"


def test_the_key_alone_is_enough(server):
    key = server.create_channel("ada")

    async def scenario():
        peer = RTCPeerConnection()
        peer.addTransceiver(Stripes(), direction="sendonly")
        session = await negotiate(peer, f"{server.http}/whip", key)
        assert "/whip/ada/" in session
        await until(lambda: is_live(server, "ada"), "live without sound")
        player, _, watched = await play(server, "ada")
        await until(lambda: watched.frames > 10, "a picture without sound", 15)
        await player.close()
        await peer.close()

    asyncio.run(scenario())


def test_a_wrong_key_opens_nothing(server):
    server.create_channel("ada")

    async def scenario():
        peer = RTCPeerConnection()
        peer.addTransceiver(Stripes(), direction="sendonly")
        await peer.setLocalDescription(await peer.createOffer())
        offer = peer.localDescription.sdp
        for key in (None, "wrong"):
            status, _, _ = await asyncio.to_thread(request, "POST", f"{server.http}/whip/ada", offer, key)
            assert status in (401, 403)
        await peer.close()
        assert (await state(server, "ada"))["state"] == "offline"

    asyncio.run(scenario())


def test_a_publisher_that_says_goodbye_by_dtls_alone(server):
    """Without DELETE: viewers are told that it is waited for, and the same key comes back."""
    key = server.create_channel("ada")

    async def waiting():
        return (await state(server, "ada"))["state"] == "waiting"

    async def scenario():
        first, _ = await publish(server, "ada", key, "VP8")
        await until(lambda: is_live(server, "ada"), "live")
        player, _, watched = await play(server, "ada")
        await until(lambda: watched.frames > 10, "a picture", 15)
        await first.close()
        await until(waiting, "waiting", 3)
        before = watched.frames
        second, _ = await publish(server, "ada", key, "VP8")
        await until(lambda: watched.frames > before + 20, "the picture again, in the same session", 15)
        await player.close()
        await second.close()

    asyncio.run(scenario())


def test_records_to_nowhere(server):
    """aiortc's own sink takes what we send for what it is."""
    key = server.create_channel("ada")

    async def scenario():
        publisher, _ = await publish(server, "ada", key, "VP8")
        await until(lambda: is_live(server, "ada"), "live")
        peer = RTCPeerConnection()
        sink = MediaBlackhole()
        peer.on("track", sink.addTrack)
        peer.addTransceiver("audio", direction="recvonly")
        peer.addTransceiver("video", direction="recvonly")
        await negotiate(peer, f"{server.http}/whep/ada")
        await sink.start()

        async def received():
            report = await peer.getStats()
            counts = [s.packetsReceived for s in report.values() if s.type == "inbound-rtp"]
            return len(counts) == 2 and all(count > 20 for count in counts)

        await until(received, "packets of both", 15)
        await sink.stop()
        await peer.close()
        await publisher.close()

    asyncio.run(scenario())
