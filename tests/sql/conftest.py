"""One PostgreSQL for all tests of this folder but SQLAlchemy's suite."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mattermost_plugin.sql._connect import open_connection
from mattermost_plugin.sql._engine import engine_of
from tests.sql.host import DatabaseHost

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from mattermost_plugin import sql


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DatabaseHost]:
    with DatabaseHost(tmp_path_factory.mktemp("database")) as host:
        yield host


@pytest.fixture
def connection(host: DatabaseHost) -> Iterator[sql.Connection]:
    connection = open_connection(host.driver)
    yield connection
    connection.close()


@pytest.fixture
def engine(host: DatabaseHost) -> Iterator[Engine]:
    engine = engine_of(lambda: open_connection(host.driver, parse_json=False), {})
    yield engine
    engine.dispose()
