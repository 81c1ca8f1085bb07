"""SQLAlchemy's suite for dialects. Run by tests/sql/test_compliance.py."""

from sqlalchemy.testing.suite import *  # noqa: F403
