"""Two stations of one server, in step at the beginning."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.kit.network import Network, Post, Server
from tests.kit.postgres import PostgresServer

POSTS = {"east": ("wang", "li", "chen"), "west": ("sun", "zhao", "roads")}


@dataclass
class Pair:
    """A server with two stations."""

    server: Server
    east: Post
    west: Post


@pytest.fixture(scope="session")
def network(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Network:
    return Network(postgres, tmp_path_factory.mktemp("network"), POSTS)


@pytest.fixture
def pair(network: Network, tmp_path: Path) -> Iterator[Pair]:
    with network.copy_to(tmp_path) as (server, posts):
        yield Pair(server, posts["east"], posts["west"])
