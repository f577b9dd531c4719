"""The catalogs and the sites: what they list and show, and nothing else."""

import pytest
from catalog.app import create as catalog
from sites.app import create as site

NOT_FOUND = 404, {"message": "Not found"}


def seen(answer):
    return answer.status_code, answer.json()


@pytest.mark.parametrize(
    ("kind", "members"), [("books", ["id", "isbn", "title", "publisher", "date"]), ("authors", ["id", "name", "book"])]
)
def test_a_catalog_lists_six_and_gives_each(call, kind, members):
    app = catalog(kind)
    entries = call(app, "GET", f"/api/{kind}").json()
    assert [entry["id"] for entry in entries] == [1, 2, 3, 4, 5, 6]
    assert all(list(entry) == members for entry in entries)
    for entry in entries:
        assert seen(call(app, "GET", f"/api/{kind}/{entry['id']}")) == (200, entry)


@pytest.mark.parametrize("number", ["0", "7", "01", "1abc", "1.0", "-1", "one", "%31%32", "1/2"])
def test_what_is_no_number_of_an_entry_is_404(call, number):
    assert seen(call(catalog("books"), "GET", f"/api/books/{number}")) == NOT_FOUND


@pytest.mark.parametrize("path", ["/", "/api", "/api/booksfoo", "/api/authors", "/api/books/1/pages"])
def test_paths_beside_a_catalog_are_404_as_json(call, path):
    assert seen(call(catalog("books"), "GET", path)) == NOT_FOUND


@pytest.mark.parametrize("path", ["/health", "/api/authors/health"])
def test_a_catalog_tells_its_health_below_its_own_path_too(call, path):
    assert seen(call(catalog("authors"), "GET", path)) == (200, {"status": "ok"})


def test_a_catalog_is_to_read(call):
    assert call(catalog("books"), "DELETE", "/api/books/1").status_code == 405


def test_isbns_are_right(call):
    for book in call(catalog("books"), "GET", "/api/books").json():
        digits = [int(digit) for digit in book["isbn"]]
        assert sum(digit * (3 if place % 2 else 1) for place, digit in enumerate(digits)) % 10 == 0, book


def test_helloworld_greets(call):
    assert seen(call(site("helloworld"), "GET", "/")) == (200, {"hello": "world"})


@pytest.mark.parametrize(
    ("name", "path", "heading"), [("blog", "/blog", "Hello from the blog"), ("webpage", "/", "Hello from the web page")]
)
def test_a_site_shows_its_page(call, name, path, heading):
    answer = call(site(name), "GET", path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert f"<h1>{heading}</h1>" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("name", ["helloworld", "blog", "webpage"])
def test_other_paths_of_a_site_are_404(call, name):
    assert seen(call(site(name), "GET", "/other")) == NOT_FOUND
