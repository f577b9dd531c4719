"""The services in containers, whole: `docscan up --services`, every API through the gateway, deployments under load."""

import asyncio
import base64
import io
import json
import os
import secrets
import subprocess
from collections import Counter
from pathlib import Path

import aiohttp
import httpx
import psutil
import pytest
from local_system import DOCSCAN, ROOT, System, access_token, eventually, free_consecutive_ports, free_ports
from PIL import Image

FOODS, BOOKS = "Services/FoodsService/Service", "Catalog/Books/Service"
CLIENTS, PAUSE = 8, 0.1  # the APIs' own limit is 100 requests a second
WINDOW = 5  # seconds in which whoever calls hears of a killed task: Cloud Map is asked each second, as are targets


@pytest.fixture(scope="module")
def services(tmp_path_factory):
    """The system with its services; SERVICES_DATA_DIR names one that is running."""
    if given := os.environ.get("SERVICES_DATA_DIR"):
        data_dir = Path(given).resolve()
        yield System(data_dir, json.loads((data_dir / "addresses.json").read_text()))
        return
    data_dir = tmp_path_factory.mktemp("services") / "data"
    ports = [free_consecutive_ports(4), *free_ports(2)]
    options = zip(["--api-port", "--engine-port", "--textract-port"], map(str, ports), strict=True)
    command = [DOCSCAN, "up", "--services", "--detach", "--data-dir", data_dir]
    subprocess.run([*command, *(word for option in options for word in option)], cwd=ROOT, check=True)
    try:
        yield System(data_dir, json.loads((data_dir / "addresses.json").read_text()))
    finally:
        subprocess.run([DOCSCAN, "down", "--data-dir", data_dir], cwd=ROOT, check=True)


@pytest.fixture(scope="module")
def token(services):
    return access_token(services, services.output("CliClientId"))


@pytest.fixture(scope="module")
def anybody():
    with httpx.Client(timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def user(token):
    with httpx.Client(timeout=30, headers={"authorization": f"Bearer {token}"}) as client:
        yield client


@pytest.fixture(scope="module")
def stranger(services):
    """Somebody else who is signed in."""
    cognito, name, password = services.client("cognito-idp"), "stranger@example.com", f"Aa1-{secrets.token_hex(8)}"
    pool = services.output("UserPoolId")
    known = cognito.list_users(UserPoolId=pool, Filter=f'email = "{name}"')["Users"]
    if not known:
        attributes = [{"Name": "email", "Value": name}, {"Name": "email_verified", "Value": "true"}]
        cognito.admin_create_user(UserPoolId=pool, Username=name, MessageAction="SUPPRESS", UserAttributes=attributes)
    cognito.admin_set_user_password(UserPoolId=pool, Username=name, Password=password, Permanent=True)
    token = cognito.initiate_auth(
        ClientId=services.output("CliClientId"),
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": name, "PASSWORD": password},
    )["AuthenticationResult"]["AccessToken"]
    with httpx.Client(timeout=30, headers={"authorization": f"Bearer {token}"}) as client:
        yield client


def token_claims(user):
    payload = user.headers["authorization"].split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=="))


def url(services, api):
    return services.addresses["apis"][api]


@pytest.mark.parametrize(("path", "name"), [("/foodstore/foods", "foodId"), ("/petstore/pets", "petId")])
def test_a_store_is_read_by_anybody_and_changed_by_users_under_optimistic_locking(services, anybody, user, path, name):
    store = url(services, "Services/ServicesApi") + path
    item = f"{store}/{secrets.token_hex(4)}"

    assert anybody.get(item).status_code == 404
    assert anybody.put(item, json={"name": "x"}).json() == {"message": "Unauthorized"}
    other = user.put(item, json={name: "other"})
    assert (other.status_code, other.json()["message"]) == (400, f"{name} in path is different from {name} in payload")

    stored = user.put(item, json={"name": "x"})
    assert stored.json() == {name: item.rpartition("/")[2], "name": "x"}
    assert anybody.get(item).headers["etag"] == stored.headers["etag"]
    changed = user.put(item, json={"name": "y"}, headers={"if-match": stored.headers["etag"]})
    assert changed.status_code == 200
    assert user.put(item, json={"name": "z"}, headers={"if-match": stored.headers["etag"]}).status_code == 412
    assert anybody.get(store, params={"limit": 100}).json()["items"]
    assert user.delete(item).status_code == 204
    assert anybody.get(item).status_code == 404


def test_a_preview_shows_a_page_to_its_owner_and_to_nobody_else(services, anybody, user, stranger):
    scanner = url(services, "ScannerApi")
    project = user.post(f"{scanner}/projects", json={"name": "Previews"}).json()["projectId"]
    page = user.post(f"{scanner}/projects/{project}/pages", json={"contentType": "image/jpeg"}).json()
    photo = io.BytesIO()
    Image.effect_noise((1600, 1200), 60).save(photo, "JPEG")
    form = page["upload"]
    assert httpx.post(form["url"], data=form["fields"], files={"file": photo.getvalue()}).status_code == 204
    preview = f"{url(services, 'Services/ServicesApi')}/previews/{project}/{page['pageId']}?width=320"

    eventually(lambda: user.get(preview).status_code == 200)
    jpeg, webp = user.get(preview), user.get(preview, headers={"accept": "image/webp,*/*"})
    for picture, kind in (jpeg, "JPEG"), (webp, "WEBP"):
        with Image.open(io.BytesIO(picture.content)) as shown:
            assert (shown.format, shown.size) == (kind, (320, 240))
    assert user.get(preview, headers={"if-none-match": jpeg.headers["etag"]}).status_code == 304

    assert anybody.get(preview).status_code == 401
    assert stranger.get(preview, headers={"x-user": token_claims(user)["sub"]}).status_code == 404


def test_the_catalog_answers_by_the_listeners_rules(services, anybody, user):
    catalog = url(services, "Catalog/CatalogApi")

    books, authors = (user.get(f"{catalog}/api/{name}").json() for name in ("books", "authors"))
    assert [len(books), len(authors)] == [6, 6]
    assert books[0].keys() == {"id", "isbn", "title", "publisher", "date"}
    assert user.get(f"{catalog}/api/books/{books[1]['id']}").json() == books[1]
    for path in ("/api/booksfoo", "/api/books/1abc", "/api/nothing"):
        missing = user.get(catalog + path)
        assert missing.status_code == 404
        assert "message" in missing.json()
    assert anybody.get(f"{catalog}/api/books").status_code == 401
    assert anybody.get(f"{catalog}/api/authors/health").status_code == 200


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_the_sites_are_there_in_both_stages(services, anybody, user, stage):
    sites = url(services, f"Sites/SitesApi/{stage}")

    assert user.get(f"{sites}/helloworld").json() == {"hello": "world"}
    assert anybody.get(f"{sites}/helloworld").status_code == 401
    for path in ("/blog", "/webpage"):
        page = anybody.get(sites + path)
        assert page.headers["content-type"].startswith("text/html"), page.text
    missing = anybody.get(f"{sites}/nothing")
    assert (missing.status_code, missing.json()) == (403, {"message": "Missing Authentication Token"})


@pytest.mark.parametrize("name", ["services", "catalog", "sites"])
def test_the_definition_of_an_api_is_exported_whole(services, name, tmp_path):
    file = tmp_path / "api.json"

    exported = services.docscan("api", "export", name, "-o", file)

    assert exported.returncode == 0, exported.stderr
    text = file.read_text().replace("${stageVariables", "")
    assert json.loads(text)["openapi"].startswith("3.0")
    assert not [word for word in ("Fn::", '"Ref"', "${", "AWS::Include") if word in text]


class Service:
    """A service of the system, as ECS and its tasks' ports tell of it."""

    def __init__(self, system, name):
        self._system, self._name = system, name

    @property
    def told(self):
        return json.loads((self._system.data_dir / "services.json").read_text())[self._name]

    def settled(self, ports_before=()):
        """Wait until all tasks are healthy, none of them with one of these ports."""

        def ports():
            told = self.told
            is_whole = told["healthy"] == told["tasks"] == len(told["ports"])
            return told["ports"] if is_whole and not set(told["ports"]) & set(ports_before) else None

        return eventually(ports, 180)

    def kill_one(self):
        port = self.settled()[0]
        [listener] = [
            found for found in psutil.net_connections("tcp") if found.laddr.port == port and found.status == "LISTEN"
        ]
        psutil.Process(listener.pid).kill()
        return port

    def roll(self):
        told = self.told
        self._system.client("ecs").update_service(
            cluster=told["cluster"], service=told["service"], forceNewDeployment=True
        )


@pytest.mark.parametrize(
    ("name", "api", "path"),
    [(FOODS, "Services/ServicesApi", "/foodstore/foods?limit=1"), (BOOKS, "Catalog/CatalogApi", "/api/books/1")],
    ids=["Cloud Map", "listener"],
)
def test_no_request_fails_after_the_window_of_a_killed_task_and_none_while_all_are_rolled(
    services, token, name, api, path, record_property
):
    service, answers = Service(services, name), Counter()

    async def work():
        is_over = False

        async def ask(client):
            while not is_over:
                async with client.get(url(services, api) + path) as answer:
                    await answer.read()
                    answers[answer.status] += 1
                await asyncio.sleep(PAUSE)

        async with aiohttp.ClientSession(headers={"authorization": f"Bearer {token}"}) as client:
            asking = [asyncio.create_task(ask(client)) for _ in range(CLIENTS)]
            await asyncio.sleep(1)
            killed = await asyncio.to_thread(service.kill_one)
            await asyncio.sleep(WINDOW)
            lost = answers.total() - answers[200]
            await asyncio.to_thread(service.settled, [killed])
            before = await asyncio.to_thread(service.settled)
            await asyncio.to_thread(service.roll)
            await asyncio.to_thread(service.settled, before)
            await asyncio.sleep(WINDOW)
            is_over = True
            await asyncio.gather(*asking)
        return lost

    service.settled()
    lost = asyncio.run(work())
    record_property("answers", dict(answers))
    print(f"{name}: {answers[200]} answered, {lost} failed in the window of the killed task")
    assert answers.total() - answers[200] == lost
    if name == FOODS:  # a connection that is refused goes elsewhere; a load balancer answers 502
        assert lost <= CLIENTS
    assert answers[200] > 500
