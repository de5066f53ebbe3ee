"""Signing in by an OpenID provider that no one here wrote."""

import http.client
import json
import re
import tempfile
import urllib.parse
import urllib.request
from pathlib import Path

import oidc_provider_mock
import pytest
from conftest import Server


class Browser:
    """As far as cookies go; it follows nothing by itself."""

    def __init__(self, server):
        self.server, self.cookies = server, {}

    def open(self, method, path, body=None):
        connection = http.client.HTTPConnection(self.server.http.removeprefix("http://"), timeout=20)
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"Origin": self.server.http, "Cookie": cookies, "Content-Type": "application/json"}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read()
        for cookie in answer.headers.get_all("set-cookie") or []:
            name, value = cookie.split(";")[0].split("=", 1)
            self.cookies[name] = value
        return answer, text

    def sign_in(self, subject):
        """Goes to the provider, gives consent, comes back; the page that it is led to."""
        answer, text = self.open("POST", "/api/v1/oidc/start", {"returnTo": "/studio"})
        assert answer.status == 200, text
        url = urllib.parse.urlsplit(json.loads(text)["url"])
        there = http.client.HTTPConnection(url.netloc, timeout=10)
        form = {"action": "deny"} if subject is None else {"sub": subject}
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        there.request("POST", f"{url.path}?{url.query}", urllib.parse.urlencode(form), kind)
        back = there.getresponse()
        assert back.status == 302, back.read()
        way = urllib.parse.urlsplit(back.headers["location"])
        answer, text = self.open("GET", f"{way.path}?{way.query}")
        assert answer.status == 303, text
        return answer.headers["location"]


@pytest.fixture
def both():
    people = [oidc_provider_mock.User(sub="u-1", claims={"preferred_username": "zoe", "name": "Zoë"})]
    with oidc_provider_mock.run_server_in_thread(require_nonce=True, user_claims=people) as provider:
        settings = {
            "WEIR_OIDC_ISSUER": f"http://localhost:{provider.server_port}",
            "WEIR_OIDC_CLIENT_ID": "weir",
            "WEIR_OIDC_CLIENT_SECRET": "s3cret",
        }
        with tempfile.TemporaryDirectory(prefix="weir-interop-") as folder:
            server = Server(Path(folder), **settings)
            token = re.search(r"/set-up\?token=(\S+)", server.log_path.read_text())[1]
            owner = Browser(server)
            body = {"token": token, "name": "ada", "displayName": "Ada", "password": "correct horse battery"}
            assert owner.open("POST", "/api/v1/setup", {**body, "channel": "ada"})[0].status == 201
            owner.open("PATCH", "/api/v1/instance/settings", {"signUp": "open"})
            yield server
            server.stop()


def name(browser):
    answer, text = browser.open("GET", "/api/v1/me")
    return json.loads(text)["name"] if answer.status == 200 else None


def test_somebody_new_gets_an_account_and_is_known_again(both):
    first, again, other = Browser(both), Browser(both), Browser(both)
    assert first.sign_in("u-1") == "/studio"
    assert again.sign_in("u-1") == "/studio"
    assert (name(first), name(again)) == ("zoe", "zoe")
    # Of whom nothing is known but a subject has to be asked for a name.
    assert other.sign_in("u-2") == "/sign-up/name"
    assert name(other) is None


def test_who_says_no_there_is_not_signed_in(both):
    browser = Browser(both)
    # This provider forgets the state with its refusal, so that nobody knows what was refused.
    assert browser.sign_in(None) in ("/sign-in?return=%2Fstudio&trouble=refused", "/sign-in?trouble=expired")
    assert name(browser) is None
