"""Letters, as a mail server that no one here wrote takes them, and as another library reads them."""

import queue
import re
import tempfile
import urllib.request
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from conftest import Person, Server, free_tcp_port

PASSWORD = "correct horse battery"


class Mailbox:
    """Keeps what comes, with who sent it."""

    def __init__(self):
        self.letters = queue.Queue()

    async def handle_DATA(self, _server, session, envelope):
        letter = message_from_bytes(envelope.original_content, policy=policy.default)
        self.letters.put((session.auth_data, envelope, letter))
        return "250 Taken"


def authenticated(_server, _session, _envelope, _mechanism, data):
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (b"weir", b"s:3/cret")
    return AuthResult(success=right, auth_data=data.login if right else None)


@pytest.fixture
def mail():
    box = Mailbox()
    # It asks itself whether it is there, and so has to know its port.
    port = free_tcp_port()
    controller = Controller(
        box, "127.0.0.1", port, authenticator=authenticated, auth_required=True, auth_require_tls=False
    )
    controller.start()
    yield box, port
    controller.stop()


def token(letter, page):
    return re.search(rf"/{page}\?token=(\S+)", letter.get_content())[1]


def test_letters_are_taken_with_a_password_and_read_as_they_were_meant(mail):
    box, port = mail
    with tempfile.TemporaryDirectory(prefix="weir-interop-") as folder:
        smtp = f"smtp://weir:s%3A3%2Fcret@127.0.0.1:{port}"
        server = Server(Path(folder), WEIR_SMTP_URL=smtp, WEIR_SMTP_FROM="Weir <weir@tv.example>")
        try:
            link = re.search(r"/set-up\?token=(\S+)", server.log_path.read_text())[1]
            owner = Person(
                server,
                "setup",
                {
                    "token": link, "name": "ada", "displayName": "Ada Überschär", "channel": "ada", "password": PASSWORD,
                },
            )
            owner.call("PUT", "me/email", {"address": "ada@example.org"})
            who, envelope, letter = box.letters.get(timeout=15)
            assert who == b"weir"
            assert (envelope.mail_from, envelope.rcpt_tos) == ("weir@tv.example", ["ada@example.org"])
            assert (str(letter["from"]), str(letter["to"])) == ("Weir <weir@tv.example>", "ada@example.org")
            assert letter["date"] and letter["auto-submitted"] == "auto-generated"
            assert letter.get_content_type() == "text/plain" and not letter.defects
            owner.call("POST", "email/confirm", {"token": token(letter, "confirm-email")})
            assert owner.call("GET", "me/email")["confirmed"]
            owner.call("PATCH", "instance/settings", {"signUp": "open"})
            ways = {"inApp": True, "push": False, "email": True}
            kinds = ("wentLive", "mention", "follower", "system")
            owner.call("PUT", "me/notification-preferences", {**dict.fromkeys(kinds, ways), "quiet": None})
            zoe = Person(server, "sign-up", {"name": "zoe", "displayName": "Zoë 🌊", "password": PASSWORD})
            zoe.call("PUT", "channels/ada/follow")
            # Letters gather for a minute.
            _, _, letter = box.letters.get(timeout=90)
            assert letter["subject"] == "Zoë 🌊 follows ada"
            assert "Zoë 🌊 follows ada" in letter.get_content()
            one_click = letter["list-unsubscribe"].strip("<>")
            assert letter["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
            with urllib.request.urlopen(one_click, b"List-Unsubscribe=One-Click", timeout=10) as answer:
                assert answer.status == 200
            assert not owner.call("GET", "me/notification-preferences")["follower"]["email"]
            assert owner.call("GET", "me/notification-preferences")["mention"]["email"]
        finally:
            server.stop()
