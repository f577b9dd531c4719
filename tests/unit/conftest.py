"""Unit tests touch no network: a test that tries fails."""

import pytest
from pytest_socket import disable_socket


@pytest.fixture(autouse=True)
def no_network():
    disable_socket(allow_unix_socket=True)  # asyncio wakes its loop through a socket pair
