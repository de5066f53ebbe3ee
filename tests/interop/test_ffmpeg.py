"""FFmpeg's WHIP muxer as a publisher: it is DTLS's server, knows no transport-wide feedback and answers no requests."""

import asyncio
import datetime
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from test_aiortc import SIZE, ended, is_live, play, state, until

PUBLISHER = Path(__file__).with_name("ffmpeg_publisher.py")


def make_certificate(folder):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ffmpeg")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now, now + datetime.timedelta(days=1),
    ).sign(key, hashes.SHA256())
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption(),
    ))


@pytest.mark.parametrize("path", ["/whip/ada", "/whip"])
def test_publishes_what_a_player_sees_and_hears(server, tmp_path, path):
    key = server.create_channel("ada")
    make_certificate(tmp_path)
    publisher = subprocess.Popen(
        [sys.executable, PUBLISHER, f"{server.http}{path}", key, tmp_path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )

    async def scenario():
        await until(lambda: is_live(server, "ada"), "live")
        player, _, watched = await play(server, "ada")
        await until(lambda: watched.frames > 30, "decoded frames", 15)
        await until(lambda: watched.right, "the stripes that were sent")
        await until(lambda: watched.loudness > 3000, "the tone")
        assert watched.size == SIZE
        assert "H264" in {rendition["codec"] for rendition in (await state(server, "ada"))["renditions"]}
        publisher.terminate()
        await until(lambda: ended(server), "the end, as it says goodbye by DELETE")
        await player.close()

    try:
        asyncio.run(scenario())
        assert publisher.wait(10) == 0
    except AssertionError:
        publisher.kill()
        print(publisher.communicate()[0])
        raise
    finally:
        publisher.kill()
