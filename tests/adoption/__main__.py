"""`python -m tests.adoption [pytest options]`: the end-to-end tests on a server that has the host inside."""

from __future__ import annotations

import os
import sys

import pytest

from tests.adoption.build import build_adopted
from tests.adoption.edits import EditError
from tests.harness import BuildError
from tests.harness.build import SERVER_VARIABLE

# What is about the bridge, or the server's version, and not there or another here.
ELSEWHERE = [
    "tests/e2e/serving/test_asking.py::test_large_bodies_pass_in_constant_memory",  # measures the bridge
    "tests/e2e/serving/test_frameworks.py::test_a_flask_application_streams_in_constant_memory",
    "tests/e2e/serving/test_streams.py::test_a_gib_goes_up_in_constant_memory",
    "tests/e2e/serving/test_streams.py::test_a_gib_goes_down_in_constant_memory",
    "tests/e2e/test_commands.py::test_a_command_is_answered_to_the_one_who_typed_it",  # tells the version
    "tests/e2e/test_errors.py::test_a_method_newer_than_the_server_raises_not_supported",  # there is none
    "tests/e2e/test_lifecycle.py::test_an_uploaded_plugin_runs_when_it_is_enabled",  # tells the version
    "tests/e2e/test_lifecycle.py::test_disabling_deactivates_and_enabling_activates_again",  # two processes
    "tests/e2e/test_lifecycle.py::test_on_deactivate_runs_once",  # waits for the end of the bridge
    "tests/e2e/test_log.py::test_log_records_keep_their_level_and_fields",  # which are no texts here
    "tests/e2e/serving/test_bad_input.py::test_the_log_says_what_was_wrong",  # likewise
    "tests/e2e/test_sql.py::test_a_hundred_thousand_rows_pass_in_constant_memory",  # measures the bridge, too
    "tests/e2e/test_harness.py",  # builds the stock server
    "tests/e2e/test_demo.py",
]

try:
    program = build_adopted()
except (BuildError, EditError) as error:
    sys.exit(str(error))
os.environ[SERVER_VARIABLE] = str(program.executable)
deselected = [option for name in ELSEWHERE for option in ("--deselect", name)]
sys.exit(pytest.main([*deselected, *(sys.argv[1:] or ["tests/adoption", "tests/e2e"])]))
