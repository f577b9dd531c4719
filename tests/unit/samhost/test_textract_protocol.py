"""Textract's protocol, through the ASGI application, over an engine that needs no models."""

import asyncio
import base64
import json
import struct
import threading
import zlib
from io import BytesIO

import boto3
import httpx
import pytest
from moto import mock_aws
from PIL import Image

from samhost.textract.app import TextractApp
from samhost.textract.page import Line, Word

SIGNED = {
    "x-amz-target": "Textract.DetectDocumentText",
    "content-type": "application/x-amz-json-1.1",
    "authorization": "AWS4-HMAC-SHA256 Credential=test",
}


class FixedEngine:
    """Finds two words in the top left quarter of any image, and keeps what it was given."""

    name = "fixed"

    def __init__(self) -> None:
        self.images: list[Image.Image] = []

    def read(self, image: Image.Image) -> list[Line]:
        self.images.append(image)
        w, h = image.width / 2, image.height / 2
        return [
            Line(
                [
                    Word("Hello", 0.9, ((0, 0), (w / 2, 0), (w / 2, h), (0, h))),
                    Word("wörld", 0.7, ((w / 2, 0), (w, 0), (w, h), (w / 2, h))),
                ]
            )
        ]


@pytest.fixture
def engine() -> FixedEngine:
    return FixedEngine()


@pytest.fixture
def app(engine: FixedEngine):
    app = TextractApp(engine)
    yield app
    app.close()


def image_bytes(format_: str = "PNG", size: tuple[int, int] = (200, 100), mode: str = "RGB", **options) -> bytes:
    out = BytesIO()
    Image.new(mode, size, "white" if mode != "1" else 1).save(out, format_, **options)
    return out.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that only declares its size: decoding it would need width x height pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))


def request_of(document: bytes) -> bytes:
    return json.dumps({"Document": {"Bytes": base64.b64encode(document).decode()}}).encode()


def client_of(app: TextractApp) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://textract")  # pyright: ignore


def call(app: TextractApp, content: bytes, headers: dict[str, str] = SIGNED) -> httpx.Response:
    async def post() -> httpx.Response:
        async with client_of(app) as client:
            return await client.post("/", content=content, headers=headers)

    return asyncio.run(post())


def error_of(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/x-amz-json-1.1"
    body = answer.json()
    assert body["Message"]
    return answer.status_code, body["__type"]


def test_health_names_the_engine(app):
    async def get() -> httpx.Response:
        async with client_of(app) as client:
            return await client.get("/health")

    answer = asyncio.run(get())
    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "engine": "fixed"})


def test_a_page_is_answered_as_page_line_and_word_blocks(app):
    answer = call(app, request_of(image_bytes()))
    assert answer.status_code == 200
    assert answer.headers["x-amzn-requestid"]
    body = answer.json()
    assert body["DocumentMetadata"] == {"Pages": 1}
    assert body["DetectDocumentTextModelVersion"]
    page, line, *words = body["Blocks"]
    assert [block["BlockType"] for block in body["Blocks"]] == ["PAGE", "LINE", "WORD", "WORD"]
    assert page["Relationships"] == [{"Type": "CHILD", "Ids": [line["Id"]]}]
    assert line["Relationships"] == [{"Type": "CHILD", "Ids": [word["Id"] for word in words]}]
    assert len({block["Id"] for block in body["Blocks"]}) == 4
    assert page["Geometry"]["BoundingBox"] == {"Left": 0, "Top": 0, "Width": 1, "Height": 1}
    assert "Text" not in page
    assert (line["Text"], line["Confidence"]) == ("Hello wörld", pytest.approx(80))
    assert [(word["Text"], word["TextType"]) for word in words] == [("Hello", "PRINTED"), ("wörld", "PRINTED")]
    assert words[0]["Confidence"] == pytest.approx(90)


def test_geometry_is_in_ratios_of_the_page(app):
    word = call(app, request_of(image_bytes())).json()["Blocks"][3]
    assert word["Geometry"]["BoundingBox"] == {"Left": 0.25, "Top": 0, "Width": 0.25, "Height": 0.5}
    assert word["Geometry"]["Polygon"] == [
        {"X": 0.25, "Y": 0},
        {"X": 0.5, "Y": 0},
        {"X": 0.5, "Y": 0.5},
        {"X": 0.25, "Y": 0.5},
    ]


def test_an_empty_page_has_no_children(app, engine, monkeypatch):
    monkeypatch.setattr(engine, "read", lambda image: [])
    assert [set(block) for block in call(app, request_of(image_bytes())).json()["Blocks"]] == [
        {"BlockType", "Id", "Geometry"}
    ]


@pytest.mark.parametrize(
    ("format_", "mode"),
    [("JPEG", "RGB"), ("JPEG", "CMYK"), ("PNG", "RGBA"), ("PNG", "P"), ("PNG", "I;16"), ("TIFF", "1"), ("TIFF", "L")],
)
def test_every_accepted_format_reaches_the_engine_as_rgb(app, engine, format_, mode):
    if mode == "I;16":
        out = BytesIO()
        Image.new("I;16", (200, 100), 0x8000).save(out, "PNG")
        document = out.getvalue()
    else:
        document = image_bytes(format_, mode=mode)
    assert call(app, request_of(document)).status_code == 200
    assert (engine.images[0].mode, engine.images[0].size) == ("RGB", (200, 100))


def test_sixteen_bits_of_grey_keep_their_brightness(app, engine):
    out = BytesIO()
    Image.new("I;16", (20, 10), 0x8000).save(out, "PNG")
    call(app, request_of(out.getvalue()))
    assert engine.images[0].getpixel((0, 0)) == (0x80, 0x80, 0x80)


def test_transparent_pixels_are_white_paper(app, engine):
    out = BytesIO()
    Image.new("RGBA", (20, 10), (0, 0, 0, 0)).save(out, "PNG")
    call(app, request_of(out.getvalue()))
    assert engine.images[0].getpixel((0, 0)) == (255, 255, 255)


def test_exif_orientation_is_ignored(app, engine):
    exif = Image.Exif()
    exif[0x0112] = 6
    assert call(app, request_of(image_bytes("JPEG", exif=exif))).status_code == 200
    assert engine.images[0].size == (200, 100)


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (b"", "InvalidParameterException"),
        (b"plain text", "UnsupportedDocumentException"),
        (b"%PDF-1.7 ...", "UnsupportedDocumentException"),
        (image_bytes("GIF"), "UnsupportedDocumentException"),
        (image_bytes("TIFF", save_all=True, append_images=[Image.new("RGB", (9, 9))]), "UnsupportedDocumentException"),
        (image_bytes("JPEG")[:-300], "BadDocumentException"),
        (image_bytes("PNG")[:60], "BadDocumentException"),
        (b"\xff\xd8\xff\xe0 nothing more", "BadDocumentException"),
        (image_bytes("PNG", (10_001, 10)), "BadDocumentException"),
        (png_header(60_000, 60_000), "BadDocumentException"),
        (b"\xff\xd8\xff" + bytes(10 * 1024 * 1024 - 2), "DocumentTooLargeException"),
        (bytes(11 * 1024 * 1024), "DocumentTooLargeException"),
    ],
    ids=[
        "no bytes",
        "no image",
        "PDF",
        "GIF",
        "TIFF of two pages",
        "JPEG cut off",
        "PNG cut off",
        "JPEG header damaged",
        "a side too long",
        "decompression bomb",
        "one byte too many",
        "body too large",
    ],
)
def test_a_document_that_cannot_be_read_is_refused_with_the_reason(app, engine, document, code):
    assert error_of(call(app, request_of(document))) == (400, code)
    assert engine.images == []


def test_sides_of_ten_thousand_pixels_are_accepted_and_the_engine_gets_fewer(app, engine):
    assert call(app, request_of(image_bytes("PNG", (10_000, 10)))).status_code == 200
    assert engine.images[0].size == (5_000, 5)


def test_a_document_of_ten_megabytes_is_accepted(app):
    image = image_bytes("JPEG")
    assert call(app, request_of(image + bytes(10 * 1024 * 1024 - len(image)))).status_code == 200


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "SerializationException"),
        (b"\xff\xfe", "SerializationException"),
        (b"[]", "SerializationException"),
        (b'{"Document": "x"}', "SerializationException"),
        (b'{"Document": {"Bytes": 7}}', "SerializationException"),
        (b'{"Document": {"Bytes": "not base64!"}}', "SerializationException"),
        (b'{"Document": {"Bytes": "\xc3\xa9"}}', "SerializationException"),
        (b"{}", "InvalidParameterException"),
        (b'{"Document": {}}', "InvalidParameterException"),
        (b'{"Document": {"Bytes": "AAAA", "S3Object": {"Bucket": "b", "Name": "n"}}}', "InvalidParameterException"),
        (b'{"Document": {"S3Object": {"Bucket": "b"}}}', "InvalidParameterException"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(app, body, code):
    assert error_of(call(app, body)) == (400, code)


def test_other_operations_are_refused_by_name(app):
    answer = call(app, b"{}", SIGNED | {"x-amz-target": "Textract.AnalyzeDocument"})
    assert error_of(answer) == (400, "UnknownOperationException")
    assert "Textract.AnalyzeDocument" in answer.json()["Message"]


def test_an_unsigned_request_is_refused(app):
    headers = {name: value for name, value in SIGNED.items() if name != "authorization"}
    assert error_of(call(app, request_of(image_bytes()), headers)) == (400, "MissingAuthenticationTokenException")


def test_a_fault_of_the_engine_is_an_internal_error_that_tells_nothing(app, engine, monkeypatch):
    def fail(image: Image.Image) -> list[Line]:
        raise RuntimeError("secret")

    monkeypatch.setattr(engine, "read", fail)
    answer = call(app, request_of(image_bytes()))
    assert error_of(answer) == (500, "InternalServerError")
    assert "secret" not in answer.text


def test_requests_beyond_the_capacity_are_throttled_and_health_still_answers(engine, monkeypatch):
    proceed, reading = threading.Event(), threading.Event()
    read = engine.read

    def read_when_told(image: Image.Image) -> list[Line]:
        reading.set()
        proceed.wait(timeout=20)  # only where the test fails
        return read(image)

    monkeypatch.setattr(engine, "read", read_when_told)
    app = TextractApp(engine, capacity=2)

    async def scenario() -> tuple[list[httpx.Response], httpx.Response, httpx.Response]:
        async with client_of(app) as client:
            taken = [
                asyncio.create_task(client.post("/", content=request_of(image_bytes()), headers=SIGNED))
                for _ in range(2)
            ]
            await asyncio.to_thread(reading.wait)
            refused = await client.post("/", content=request_of(image_bytes()), headers=SIGNED)
            health = await client.get("/health")
            proceed.set()
            return await asyncio.gather(*taken), refused, health

    try:
        taken, refused, health = asyncio.run(scenario())
    finally:
        proceed.set()
        app.close()
    assert error_of(refused) == (500, "ThrottlingException")
    assert health.status_code == 200
    assert [answer.status_code for answer in taken] == [200, 200]


@pytest.fixture
def bucket(monkeypatch):
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="pages")
        s3.put_bucket_versioning(Bucket="pages", VersioningConfiguration={"Status": "Enabled"})
        yield s3


def s3_request(**s3_object: str) -> bytes:
    return json.dumps({"Document": {"S3Object": s3_object}}).encode()


def test_a_document_in_s3_is_read_in_the_version_that_is_asked_for(app, engine, bucket):
    first = bucket.put_object(Bucket="pages", Key="a", Body=image_bytes(size=(30, 20)))["VersionId"]
    bucket.put_object(Bucket="pages", Key="a", Body=image_bytes(size=(50, 40)))
    assert call(app, s3_request(Bucket="pages", Name="a", Version=first)).status_code == 200
    assert call(app, s3_request(Bucket="pages", Name="a")).status_code == 200
    assert [image.size for image in engine.images] == [(30, 20), (50, 40)]


def test_an_object_that_cannot_be_read_is_an_invalid_s3_object(app, bucket):
    assert error_of(call(app, s3_request(Bucket="pages", Name="none"))) == (400, "InvalidS3ObjectException")


def test_an_object_of_more_than_ten_megabytes_is_too_large(app, bucket):
    bucket.put_object(Bucket="pages", Key="large", Body=bytes(10 * 1024 * 1024 + 1))
    assert error_of(call(app, s3_request(Bucket="pages", Name="large"))) == (400, "DocumentTooLargeException")
