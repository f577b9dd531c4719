"""Previews: a page's picture at a width, for its owner, decoded once."""

import asyncio
import io
import time
from dataclasses import replace
from decimal import Decimal

import httpx
import pytest
from PIL import Image, ImageDraw
from preview.app import create
from preview.cache import Cache
from preview.rendering import MAX_WIDTH, Kind, render

from scanner.errors import MissingObjectError, NotFoundError
from scanner.page import Page
from scanner.services import pages

WIDE = 800, 500
RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)


def photograph(kind="JPEG", size=WIDE, mode="RGB", **options):
    """A blue image whose top left corner is red, as bytes."""
    image = Image.new("RGB", size, BLUE)
    ImageDraw.Draw(image).rectangle((0, 0, size[0] // 4, size[1] // 4), fill=RED)
    encoded = io.BytesIO()
    image.convert(mode).save(encoded, kind, **options)
    return encoded.getvalue()


def opened(picture):
    return Image.open(io.BytesIO(picture))


def red_corner(picture):
    """Which corner of a picture is red, by (right, bottom)."""
    image = opened(picture).convert("RGB")
    places = {
        (right, bottom): (right * (image.width - 1), bottom * (image.height - 1))
        for right in (0, 1)
        for bottom in (0, 1)
    }
    [corner] = [corner for corner, place in places.items() if image.getpixel(place)[0] > 128]
    return corner


def exif(orientation):
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


# ---------------------------------------------------------------- Pictures
@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize(("width", "size"), [(320, (320, 200)), (799, (799, 499)), (1600, WIDE), (1, (1, 1))])
def test_a_picture_is_as_wide_as_asked_for_and_no_wider_than_the_image(kind, width, size):
    picture = opened(render(photograph(), width, 0, kind))
    assert picture.size == size
    assert picture.format == kind.name


@pytest.mark.parametrize(
    ("orientation", "corner"),
    [(1, (0, 0)), (2, (1, 0)), (3, (1, 1)), (4, (0, 1)), (5, (0, 0)), (6, (1, 0)), (7, (1, 1)), (8, (0, 1))],
)
def test_a_picture_is_upright_whatever_exif_says(orientation, corner):
    picture = render(photograph(exif=exif(orientation)), 100, 0, Kind.JPEG)
    assert red_corner(picture) == corner
    assert opened(picture).width == 100
    assert (opened(picture).height > 100) is (orientation >= 5)


@pytest.mark.parametrize(("rotation", "corner"), [(0, (0, 0)), (90, (1, 0)), (180, (1, 1)), (270, (0, 1))])
@pytest.mark.parametrize("orientation", [1, 6])
def test_a_picture_is_turned_clockwise_as_the_user_wants_it(rotation, corner, orientation):
    upright = photograph(exif=exif(orientation))
    turned = render(upright, 100, rotation, Kind.JPEG)
    assert opened(turned).width == 100
    first = red_corner(render(upright, 100, 0, Kind.JPEG))
    clockwise = [(0, 0), (1, 0), (1, 1), (0, 1)]
    assert clockwise.index(red_corner(turned)) == (clockwise.index(first) + rotation // 90) % 4
    if orientation == 1:
        assert red_corner(turned) == corner


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        ("PNG", "1"),
        ("PNG", "L"),
        ("PNG", "P"),
        ("PNG", "RGBA"),
        ("TIFF", "1"),
        ("TIFF", "CMYK"),
        ("JPEG", "CMYK"),
        ("JPEG", "L"),
    ],
)
@pytest.mark.parametrize("wanted", Kind)
def test_every_kind_of_image_has_a_picture(kind, mode, wanted):
    assert opened(render(photograph(kind, mode=mode), 200, 90, wanted)).size == (200, 320)


def test_what_is_transparent_is_white():
    encoded = io.BytesIO()
    Image.new("RGBA", (10, 10), (0, 0, 0, 0)).save(encoded, "PNG")
    assert opened(render(encoded.getvalue(), 10, 0, Kind.WEBP)).convert("RGB").getpixel((5, 5)) == WHITE


# ---------------------------------------------------------------- The route
class Scanner:
    """One page of Anna's, and its image."""

    def __init__(self):
        page = Page.create("anna", "project-1", Decimal(1), "image/jpeg")
        self.page = replace(page, page_id="page-1", image_version="version-1")
        self.data = photograph()
        self.reads = 0

    def get(self, owner, project_id, page_id):
        if (owner, project_id, page_id) != ("anna", "project-1", "page-1"):
            raise NotFoundError("There is no such page.")
        return self.page

    def read(self, key, version):
        assert (key, version) == (f"images/project-1/page-1/{self.page.image_id}", self.page.image_version)
        self.reads += 1
        if self.data is None:
            raise MissingObjectError(key)
        return self.data


@pytest.fixture
def scanner(monkeypatch):
    scanner = Scanner()
    monkeypatch.setattr(pages, "get", scanner.get)
    monkeypatch.setattr("scanner.aws.bucket.read", scanner.read)
    return scanner


@pytest.fixture
def show(scanner, call):
    app = create(1 << 20)

    def send(path="/previews/project-1/page-1?width=320", user="anna", **headers):
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return call(app, "GET", path, headers=names | ({"x-user": user} if user else {}))

    return send


def test_the_owner_gets_a_picture(show):
    answer = show()
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/jpeg"
    assert opened(answer.content).size == (320, 200)
    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.headers["vary"] == "Accept"


@pytest.mark.parametrize(
    "accept", ["image/webp", "text/html,image/avif,image/webp,*/*;q=0.8", "Image/WebP;q=0.1, image/jpeg"]
)
def test_webp_is_for_those_who_say_they_read_it(show, accept):
    assert opened(show(accept=accept).content).format == "WEBP"


@pytest.mark.parametrize("accept", ["*/*", "image/*", "image/jpeg, image/webp;q=0", "image/webp ; q=0.000, */*"])
def test_jpeg_is_for_all_others(show, accept):
    assert opened(show(accept=accept).content).format == "JPEG"


@pytest.mark.parametrize("user", ["berta", "Anna", ""])
def test_nobody_else_gets_it(show, scanner, user):
    show()  # it is kept now
    assert show(user=user).status_code == (404 if user else 401)
    assert scanner.reads == 1


@pytest.mark.parametrize("width", ["0", "-1", "1601", "1e3", "320px", "99999", ""])
def test_widths_have_their_limits(show, width):
    assert show(f"/previews/project-1/page-1?width={width}").status_code == 400
    assert show(f"/previews/project-1/page-1?width={MAX_WIDTH}").status_code == 200


@pytest.mark.parametrize(
    "path", ["/previews/project-1/page-2", "/previews/project-1/..%2f", "/previews/p", "/previews/a b/page-1"]
)
def test_what_is_no_page_is_404(show, path):
    assert show(path).status_code == 404


def test_a_page_without_an_image_is_404(show, scanner):
    scanner.page = replace(scanner.page, image_version=None)
    assert show().status_code == 404


def test_an_image_that_goes_while_its_page_is_read_is_404(show, scanner):
    scanner.data = None
    assert show().status_code == 404


def test_an_image_that_cannot_be_read_is_said_to_be_so(show, scanner):
    scanner.data = scanner.data[:2000]
    answer = show()
    assert answer.status_code == 422
    assert "damaged" in answer.json()["message"]


def test_images_are_decoded_one_after_another(scanner, call, monkeypatch):
    at_once, most = 0, 0

    def decode(data, width, rotation, kind):
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        time.sleep(0.01)
        at_once -= 1
        return b"picture"

    monkeypatch.setattr("preview.app.render", decode)

    async def ask(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://service.test") as client:
            return await asyncio.gather(
                *(
                    client.get(f"/previews/project-1/page-1?width={width}", headers={"x-user": "anna"})
                    for width in range(1, 9)
                )
            )

    answers = asyncio.run(ask(create(1 << 20)))
    assert {answer.status_code for answer in answers} == {200}
    assert (scanner.reads, most) == (8, 1)


def test_a_picture_is_made_once(show, scanner):
    assert show().content == show().content
    assert scanner.reads == 1


def test_who_has_the_picture_is_told_so_without_making_it(show, scanner):
    etag = show().headers["etag"]
    scanner.data = b"never read"
    answer = show(if_none_match=f'"other", W/{etag}')
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)


@pytest.mark.parametrize("change", [{"rotation": 90}, {"image_version": "version-2"}, {"image_id": "another"}])
def test_a_page_that_has_changed_has_another_picture(show, scanner, change):
    etag = show().headers["etag"]
    scanner.page = replace(scanner.page, **change)
    answer = show(if_none_match=etag)
    assert answer.status_code == 200
    assert answer.headers["etag"] != etag


# ---------------------------------------------------------------- The cache
def test_what_several_ask_for_at_once_is_made_once():
    made = []

    async def make():
        await asyncio.sleep(0.01)
        made.append(1)
        return b"picture"

    async def ask():
        cache = Cache(100)
        leaver = asyncio.create_task(cache.get("key", make))
        await asyncio.sleep(0)
        others = [asyncio.create_task(cache.get("key", make)) for _ in range(4)]
        leaver.cancel()
        return await asyncio.gather(*others)

    assert asyncio.run(ask()) == [b"picture"] * 4
    assert made == [1]


def test_what_was_used_last_is_kept_longest():
    made = []

    async def ask(*keys):
        cache = Cache(25)
        for key in keys:

            async def make(key=key):
                made.append(key)
                return b"0123456789"

            await cache.get(key, make)

    asyncio.run(ask("a", "b", "a", "c", "a", "b"))
    assert made == ["a", "b", "c", "b"]


def test_what_fails_is_tried_again():
    async def fail():
        raise ValueError("not this time")

    async def make():
        return b"picture"

    async def ask():
        cache = Cache(100)
        with pytest.raises(ValueError, match="not this time"):
            await cache.get("key", fail)
        return await cache.get("key", make)

    assert asyncio.run(ask()) == b"picture"
