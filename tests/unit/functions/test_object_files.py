"""Objects of the bucket as files: what is read, in how many requests, and what is kept."""

import random

import pytest
from botocore.exceptions import ClientError

from scanner.aws import clients, object_file
from scanner.aws.object_file import BLOCK, opened

KEY = "imports/project/import"


@pytest.fixture
def stored(stack):
    """The bytes of an object of some MB, and its version; a later version is another."""
    content = random.Random(1).randbytes(40 * BLOCK + 123)
    version = clients.s3().put_object(Bucket="docscan-test", Key=KEY, Body=content)["VersionId"]
    clients.s3().put_object(Bucket="docscan-test", Key=KEY, Body=b"another")
    return content, version


@pytest.fixture
def requests(stack):
    """The ranges that are asked for."""
    made = []

    def note(params, **_):
        made.append(params["Range"])

    events = clients.s3().meta.events  # of a client that other tests use, too
    events.register("before-parameter-build.s3.GetObject", note)
    yield made
    events.unregister("before-parameter-build.s3.GetObject", note)


def test_any_part_of_that_version_can_be_read(stored):
    content, version = stored
    with opened(KEY, version) as file:
        assert file.read(10) == content[:10]
        assert file.seek(-5, 2) == len(content) - 5
        assert file.read() == content[-5:]
        assert file.read(1) == b""
        file.seek(BLOCK - 3)
        assert file.read(6) == content[BLOCK - 3 : BLOCK + 3]
        assert file.tell() == BLOCK + 3
        file.seek(2, 1)
        assert file.read(1) == content[BLOCK + 5 : BLOCK + 6]
        file.seek(0)
        assert file.read() == content


def test_what_was_read_is_not_asked_for_again(stored, requests):
    content, version = stored
    with opened(KEY, version) as file:
        for place in (5, 6, 5, 100):
            file.seek(place)
            assert file.read(1) == content[place : place + 1]
    assert requests == [f"bytes=0-{BLOCK - 1}"]


def test_what_is_read_from_front_to_back_comes_in_ever_longer_ranges(stored, requests):
    content, version = stored
    with opened(KEY, version) as file:
        assert b"".join(iter(lambda: file.read(1000), b"")) == content
    assert len(requests) == 6


def test_no_more_is_kept_than_there_is_room_for(stored, monkeypatch):
    content, version = stored
    monkeypatch.setattr(object_file, "MOST_KEPT", 4)
    monkeypatch.setattr(object_file, "MOST_AHEAD", 2)
    with opened(KEY, version) as file:
        for place in range(0, len(content), BLOCK):
            file.seek(place)
            assert file.read(7) == content[place : place + 7]
            assert len(file._blocks) <= 4  # noqa: SLF001


@pytest.mark.parametrize("library_says", ["the file is damaged", None])
def test_what_s3_does_not_answer_is_no_damage_of_the_file(stored, monkeypatch, library_says):
    failure = ClientError({"Error": {"Code": "SlowDown"}}, "GetObject")

    def fail(**_):
        raise failure

    def use():
        with opened(KEY, stored[1]) as file:
            monkeypatch.setattr(clients.s3(), "get_object", fail)
            try:
                file.read(1)
            except ClientError:
                if library_says:
                    raise ValueError(library_says) from None

    with pytest.raises(ClientError) as caught:
        use()
    assert caught.value is failure
