"""Signed-in users of the running system, and the API through its gateway: every answer is held against its contract."""

import io
import secrets
import time
from dataclasses import dataclass

import api_contract
import httpx
import pytest
from local_system import service_integrations
from PIL import Image, ImageDraw, ImageFont


@dataclass(frozen=True)
class User:
    """Somebody who is signed in; `api` sends their access token."""

    sub: str
    id_token: str
    api: httpx.Client

    def ask_anything(self, method, path, headers=None, **options):
        """Send a request that the contract does not allow; the answer is not held against it either."""
        url, sent = str(self.api.base_url).rstrip("/") + path, dict(self.api.headers) | (headers or {})
        return httpx.request(method, url, headers=sent, timeout=30, **options)

    def project(self, name="A project"):
        return created(self.api.post("/projects", json={"name": name}))["projectId"]

    def upload(self, project, content, content_type="image/png"):
        """Add a page and upload its image; returns the page's id."""
        page = created(self.api.post(f"/projects/{project}/pages", json={"contentType": content_type}))
        form = page["upload"]
        answer = httpx.post(form["url"], data=form["fields"], files={"file": content})
        assert answer.status_code == 204, answer.text
        return page["pageId"]

    def settled(self, project, page, seconds=60):
        """The page once it is neither waiting nor being recognised."""
        deadline = time.monotonic() + seconds
        while True:
            read = self.api.get(f"/projects/{project}/pages/{page}").json()
            if read["status"] in {"ready", "failed"}:
                return read
            assert time.monotonic() < deadline, read
            time.sleep(0.2)


def created(answer):
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.fixture(scope="session")
def sign_up(system):
    """Makes a new user, in these groups, signed in by the command line's app client."""
    cognito = system.client("cognito-idp")
    pool, client = system.output("UserPoolId"), system.output("CliClientId")
    clients = []

    def sign_up(*groups):
        name, password = f"{secrets.token_hex(6)}@example.com", f"Aa1-{secrets.token_urlsafe(12)}"
        attributes = [{"Name": "email", "Value": name}, {"Name": "email_verified", "Value": "true"}]
        user = cognito.admin_create_user(
            UserPoolId=pool, Username=name, MessageAction="SUPPRESS", UserAttributes=attributes
        )["User"]
        cognito.admin_set_user_password(UserPoolId=pool, Username=name, Password=password, Permanent=True)
        for group in groups:
            cognito.admin_add_user_to_group(UserPoolId=pool, Username=name, GroupName=group)
        tokens = cognito.initiate_auth(
            ClientId=client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters={"USERNAME": name, "PASSWORD": password}
        )["AuthenticationResult"]
        api = httpx.Client(
            base_url=system.addresses["apis"]["ScannerApi"],
            headers={"authorization": f"Bearer {tokens['AccessToken']}"},
            timeout=30,
            event_hooks={"response": [api_contract.check]},
        )
        clients.append(api)
        sub = next(a["Value"] for a in user["Attributes"] if a["Name"] == "sub")
        return User(sub, tokens["IdToken"], api)

    yield sign_up
    for client in clients:
        client.close()


@pytest.fixture(scope="session")
def user(sign_up):
    return sign_up()


@pytest.fixture(scope="session")
def other(sign_up):
    return sign_up()


@pytest.fixture(scope="session")
def operator(sign_up):
    return sign_up("operators")


@pytest.fixture(scope="session")
def anybody(system):
    """The API without a token."""
    hooks = {"response": [api_contract.check]}
    with httpx.Client(base_url=system.addresses["apis"]["ScannerApi"], event_hooks=hooks) as api:
        yield api


@pytest.fixture(scope="session")
def drawn_page():
    """Draws lines of text; returns the bytes of a PNG or JPEG file, 300 pixels high for one line."""

    def draw(text, file_format="PNG"):
        image = Image.new("L", (1200, 300 + 100 * text.count("\n")), 255)
        ImageDraw.Draw(image).text((60, 100), text, fill=0, font=ImageFont.load_default(72))
        image.save(file := io.BytesIO(), file_format)
        return file.getvalue()

    return draw


@pytest.fixture(scope="session")
def hosted(tmp_path_factory):
    with service_integrations(tmp_path_factory.mktemp("hosted")) as system:
        yield system
