"""Which requests reach the engine, and which a foreign page may have caused."""

import asyncio

import pytest

from samhost.engine_guard import guarded


def status(method="POST", query="", host="127.0.0.1:4566", **headers):
    """The status of a request through the guard: 200 where it reached the engine."""
    sent = []

    async def engine(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message):
        sent.append(message)

    pairs = [("host", host), *((name.replace("_", "-"), value) for name, value in headers.items())]
    scope = {
        "type": "http",
        "method": method,
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in pairs],
    }
    asyncio.run(guarded(engine)(scope, None, send))
    return sent[0]["status"]


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:4566",
        "localhost:4566",
        "[::1]:4566",
        "bucket.localhost:4566",
        "172.17.0.1:4566",
        "host.docker.internal",
    ],
)
def test_programs_reach_it_by_the_machines_own_names(host):
    assert status(host=host) == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:4566", "localhost.evil.example", "", "127.0.0.1.nip.io"]
)
def test_a_name_that_somebody_made_lead_here_is_refused(host):
    assert status(host=host) == 403


@pytest.mark.parametrize("origin", ["http://localhost:8000", "http://127.0.0.1:8000", "http://[::1]:8000"])
def test_local_pages_reach_it(origin):
    assert status(origin=origin, sec_fetch_site="cross-site") == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://localhost.evil.example", "null", "http://192.168.0.7", "", "file://"]
)
def test_foreign_pages_do_not(origin):
    assert status(origin=origin) == 403


def test_a_picture_or_form_of_a_foreign_page_does_not_act():
    assert status("GET", "Action=DeleteQueue", sec_fetch_site="cross-site", sec_fetch_mode="no-cors") == 403
    assert status("POST", sec_fetch_site="cross-site", sec_fetch_mode="navigate") == 403


def test_a_link_leads_to_pages_and_objects_but_does_not_act():
    assert status("GET", "client_id=1", sec_fetch_site="cross-site", sec_fetch_mode="navigate") == 200
    assert status("GET", "Action=DeleteQueue", sec_fetch_site="cross-site", sec_fetch_mode="navigate") == 403


def test_its_own_pages_reach_it():
    assert status("GET", sec_fetch_site="same-origin", sec_fetch_mode="no-cors") == 200


def test_other_scopes_pass():
    passed = []

    async def engine(scope, receive, send):
        passed.append(scope)

    asyncio.run(guarded(engine)({"type": "lifespan"}, None, None))
    assert passed == [{"type": "lifespan"}]
