"""Publishes three stripes and a tone by FFmpeg's own WHIP muxer until it is told to stop: URL, key, folder with a certificate."""

import fractions
import math
import signal
import sys
import time

import av

url, key, folder = sys.argv[1:]
SIZE, FPS, RATE, TONE = (640, 360), 30, 48_000, 440
COLOURS = [(220, 40, 40), (40, 180, 60), (40, 60, 220)]

stopped = []
signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))

# Built with GnuTLS it makes itself a certificate on P-224, which Weir's DTLS doesn't know.
options = {"authorization": key, "cert_file": f"{folder}/cert.pem", "key_file": f"{folder}/key.pem"}
out = av.open(url, "w", format="whip", options=options)
video = out.add_stream("libx264", rate=FPS)
video.width, video.height, video.pix_fmt = *SIZE, "yuv420p"
video.options = {"preset": "ultrafast", "tune": "zerolatency", "bf": "0", "g": "60"}
audio = out.add_stream("libopus", rate=RATE)
audio.layout, audio.bit_rate = "stereo", 64_000

width, height = SIZE
row = b"".join(bytes(COLOURS[x * 3 // width]) for x in range(width))
picture = av.VideoFrame(width, height, "rgb24")
picture.planes[0].update(row * height)
picture = picture.reformat(format="yuv420p")

began, count, position = time.monotonic(), 0, 0
while not stopped:
    picture.pts, picture.time_base = count, fractions.Fraction(1, FPS)
    for packet in video.encode(picture):
        out.mux(packet)
    count += 1
    while position * FPS < count * RATE:
        samples = bytearray()
        for i in range(position, position + 960):
            samples += int(12_000 * math.sin(2 * math.pi * TONE * i / RATE)).to_bytes(2, "little", signed=True) * 2
        frame = av.AudioFrame(format="s16", layout="stereo", samples=960)
        frame.planes[0].update(bytes(samples))
        frame.sample_rate, frame.pts, frame.time_base = RATE, position, fractions.Fraction(1, RATE)
        position += 960
        for packet in audio.encode(frame):
            out.mux(packet)
    time.sleep(max(0, began + count / FPS - time.monotonic()))
out.close()
