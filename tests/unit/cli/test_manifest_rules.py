"""What is wrong with a manifest is told with its file, its key and the way to mend it."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mattermost_plugin.cli import BuildError
from mattermost_plugin.cli._project import read_project

WritePlugin = Callable[..., Path]


def problems_of(folder: Path) -> list[str]:
    with pytest.raises(BuildError) as raised:
        read_project(folder)
    return [str(problem) for problem in raised.value.problems]


def setting(**keys: Any) -> dict[str, Any]:
    return {"settings_schema": {"settings": [{"key": "words", "type": "text", **keys}]}}


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"id": None}, "plugin.json: id: missing", "com.example.hello"),
    ({"id": 5}, "plugin.json: id: must be 3 to 190 characters of a-z 0-9 . _ -, not 5", "com.example.hello"),
    ({"id": "../evil"}, 'a-z 0-9 . _ -, not "../evil"', "com.example"),
    (
        {"id": "x" * 999},
        f'plugin.json: id: must be 3 to 190 characters of a-z 0-9 . _ -, not "{"x" * 59}...',
        "",
    ),
    ({"name": None}, "plugin.json: name: missing", "project.name in pyproject.toml"),
    ({"name": "  "}, "plugin.json: name: '  ' is not a name", "people will see"),
    ({"version": None}, "plugin.json: version: missing", "project.version in pyproject.toml"),
    ({"version": "1.2"}, "plugin.json: version: '1.2' is not of the form major.minor.patch", "1.2.0"),
    ({"version": "v1.2.3"}, "plugin.json: version: 'v1.2.3' is not of the form", "1.2.0"),
    ({"version": "01.2.3"}, "plugin.json: version: '01.2.3' is not of the form", "1.2.0"),
    ({"min_server_version": "11"}, "plugin.json: min_server_version: '11' is not of the form", "1.2.0"),
    (
        {"min_server_versoin": "11.0.0"},
        "plugin.json: min_server_versoin: unknown key",
        "did you mean min_server_version?",
    ),
    ({"description": 1}, "plugin.json: description: 1 is not a string", ""),
    ({"homepage_url": "example.com"}, "plugin.json: homepage_url: 'example.com' is not a link", "https://"),
    (
        {"icon_path": "icon.png"},
        "plugin.json: icon_path: there is no file 'icon.png'",
        "file of the plugin's folder",
    ),
    ({"icon_path": "plugin.py"}, "plugin.json: icon_path: 'plugin.py' is not an SVG file", "SVG"),
    ({"server": None}, "plugin.json: server: missing", '{"entrypoint": "plugin.py"}'),
    ({"server": []}, "plugin.json: server: must be an object, not []", "entrypoint"),
    ({"server": {}}, "plugin.json: server.entrypoint: missing", "plugin.py"),
    (
        {"server": {"entrypoint": "main.py"}},
        "plugin.json: server.entrypoint: there is no file 'main.py'",
        "name a file",
    ),
    (
        {"server": {"entrypoint": "a\\b.py"}},
        "server.entrypoint: must be a path inside the bundle, relative to plugin.json, with forward slashes",
        "such as plugin.py",
    ),
    (
        {"server": {"entrypoint": "plugin.py", "runtime": "/usr/bin/python3"}},
        "server.runtime: must be the name of a program on PATH, or a list of such names",
        "write python3",
    ),
    (
        {"server": {"entrypoint": "plugin.py", "runtime_args": "-u"}},
        "server.runtime_args: must be a list of strings",
        '["-X", "dev"]',
    ),
    (
        {"server": {"entrypoint": "plugin.py", "Runtime": "python3"}},
        "server.Runtime: unknown key",
        "write it as server.runtime",
    ),
    (
        {"server": {"entrypoint": "plugin.py", "requires_python": ">=3.10"}},
        "server.requires_python: this is filled in",
        "remove it",
    ),
    (
        {"server": {"entrypoint": "plugin.py", "executable": "x"}},
        "server.executable: this is filled in",
        "remove it",
    ),
    (
        {"server": {"entrypont": "plugin.py"}},
        "server.entrypont: unknown key",
        "did you mean server.entrypoint?",
    ),
    ({"webapp": {}}, "plugin.json: webapp.bundle_path: missing", "webapp/dist/main.js"),
    (
        {"webapp": {"bundle_path": "webapp/dist/main.js"}},
        "webapp.bundle_path: there is no file",
        "name a file",
    ),
    (
        {"props": {"mattermost_plugin": {"on_failure": "ignore"}}},
        'props.mattermost_plugin.on_failure: must be "allow" or "reject", not "ignore"',
        "",
    ),
    (
        {"props": {"mattermost_plugin": {"hook_timout": 3}}},
        "hook_timout: is not a setting",
        "did you mean hook_timeout?",
    ),
    ({"settings_schema": []}, "plugin.json: settings_schema: not an object", '{"settings": [...]}'),
    ({"settings_schema": {"settings": {}}}, "settings_schema.settings: not a list", "key"),
    (setting(type=None), "settings_schema.settings[0].type: missing", "bool, dropdown, radio"),
    (
        setting(secrt=True),
        "settings[0].secrt: unknown key",
        "did you mean settings_schema.settings[0].secret?",
    ),
    (
        setting(Secret=True),
        "settings[0].Secret: unknown key",
        "write it as settings_schema.settings[0].secret",
    ),
    ({"settings_schema": {"headr": "x"}}, "settings_schema.headr: unknown key", "settings_schema.header?"),
    ({"settings_schema": {"footer": 1}}, "settings_schema.footer: 1 is not a string", ""),
    (
        {"settings_schema": {"sections": [{"key": "a", "titel": "A"}]}},
        "settings_schema.sections[0].titel: unknown key",
        "settings_schema.sections[0].title?",
    ),
    (
        setting(type="radio", options=[{"display_nam": "A", "display_name": "A", "value": "a"}]),
        "options[0].display_nam: unknown key",
        "options[0].display_name?",
    ),
    (
        setting(type="list"),
        "settings_schema.settings[0].type: 'list' is no type of a setting",
        "known are bool",
    ),
    (setting(key=""), "settings_schema.settings[0].key: missing", "as the plugin will read it"),
    (
        setting(type="bool", default="yes"),
        "settings_schema.settings[0].default: 'yes' is not true or false",
        "",
    ),
    (setting(type="number", default="ten"), "settings_schema.settings[0].default: 'ten' is not a number", ""),
    (setting(default=7), "settings_schema.settings[0].default: 7 is not a string", ""),
    (setting(type="radio"), "settings_schema.settings[0].options: missing", "display_name"),
    (
        setting(type="radio", options=[{"value": "a"}]),
        "options[0].display_name: missing or no string",
        "display_name",
    ),
    (
        setting(type="dropdown", options=[{"display_name": "A", "value": "a"}], default="b"),
        "settings_schema.settings[0].default: 'b' is none of the options",
        "",
    ),
    (setting(options=[]), "settings_schema.settings[0].options: a setting of type text has none", "dropdown"),
    (setting(type="bool", placeholder="x"), "placeholder: a setting of type bool has none", "remove it"),
    (setting(regenerate_help_text="x"), "regenerate_help_text: a setting of type text has none", "remove it"),
    (setting(hosting="moon"), "settings_schema.settings[0].hosting: 'moon' is unknown", "cloud or on-prem"),
    (setting(secret="yes"), "settings_schema.settings[0].secret: 'yes' is not true or false", ""),
    (
        {"settings_schema": {"settings": [{"key": "A", "type": "text"}, {"key": "a", "type": "text"}]}},
        "settings_schema.settings[1].key: 'a' is used by settings_schema.settings[0].key already",
        "",
    ),
    (
        {"settings_schema": {"sections": [{"settings": []}]}},
        "settings_schema.sections[0].key: missing",
        "of its own",
    ),
]


@pytest.mark.parametrize(("change", "problem", "fix"), WRONG, ids=[entry[1] for entry in WRONG])
def test_a_wrong_manifest_is_told_with_key_and_fix(
    write_plugin: WritePlugin, change: dict[str, Any], problem: str, fix: str
) -> None:
    told = problems_of(write_plugin(manifest=change))
    assert any(problem in line and fix in line for line in told), told


def test_all_problems_are_told_at_once(write_plugin: WritePlugin) -> None:
    told = problems_of(write_plugin(manifest={"id": "x", "name": "", "version": "1"}))
    assert [line.split(": ")[1] for line in told] == ["id", "name", "version"]


def test_a_missing_manifest_tells_how_to_begin(tmp_path: Path) -> None:
    assert "mattermost-plugin new DIR" in problems_of(tmp_path)[0]


def test_a_manifest_that_is_not_json_tells_the_place(tmp_path: Path) -> None:
    (tmp_path / "plugin.json").write_text('{"id": "x",\n}', encoding="utf-8")
    assert re.fullmatch(
        r"plugin.json: not JSON: .* at line [12], column \d+; JSON has no comments .*",
        problems_of(tmp_path)[0],
    )


def test_a_manifest_that_is_no_object_is_refused(tmp_path: Path) -> None:
    (tmp_path / "plugin.json").write_text("[]", encoding="utf-8")
    assert problems_of(tmp_path) == ['plugin.json: not a JSON object; begin with {"id": "...", ...}']


def test_a_yaml_manifest_is_refused_by_name(write_plugin: WritePlugin) -> None:
    folder = write_plugin(files={"plugin.yaml": "id: other"})
    assert problems_of(folder) == ["plugin.yaml: only plugin.json is read; write the manifest as plugin.json"]


def test_an_entrypoint_that_links_out_of_the_folder_is_refused(
    write_plugin: WritePlugin, tmp_path: Path
) -> None:
    folder = write_plugin()
    (folder / "plugin.py").unlink()
    (tmp_path / "elsewhere.py").touch()
    (folder / "plugin.py").symlink_to(tmp_path / "elsewhere.py")
    assert "'plugin.py' is a link that leads out of the plugin's folder" in problems_of(folder)[0]


def test_a_full_manifest_is_accepted(write_plugin: WritePlugin) -> None:
    manifest = {
        "description": "Says hello.",
        "homepage_url": "https://example.com/hello",
        "support_url": "http://example.com",
        "icon_path": "assets/icon.svg",
        "version": "1.2.3-rc.1+build.5",
        "min_server_version": "9.5.0",
        "server": {"entrypoint": "plugin.py", "runtime": "python3.11", "runtime_args": ["-X", "dev"]},
        "webapp": {"bundle_path": "webapp/dist/main.js"},
        "props": {
            "mattermost_plugin": {"on_failure": "reject", "hook_timeouts": {"message_will_be_posted": 0.5}}
        },
        "a_key_of_newer_servers": 1,
        "settings_schema": {
            "header": "Words",
            "settings": [
                {"key": "On", "type": "bool", "default": True},
                {"key": "Words", "type": "longtext", "default": "", "placeholder": "one, two"},
                {"key": "Limit", "type": "number", "default": 3},
                {
                    "key": "Way",
                    "type": "dropdown",
                    "default": "soft",
                    "options": [{"display_name": "Soft", "value": "soft"}],
                },
            ],
            "sections": [
                {"key": "more", "settings": [{"key": "Token", "type": "generated", "secret": True}]}
            ],
        },
    }
    files = {"assets/icon.svg": "<svg/>", "webapp/dist/main.js": ""}
    project = read_project(write_plugin(manifest=manifest, files=files))
    assert project.manifest == {**json.loads((project.directory / "plugin.json").read_text()), **manifest}


def test_pyproject_completes_the_manifest(write_plugin: WritePlugin) -> None:
    pyproject = """
        [project]
        name = "hello"
        version = "4.5.6"
        description = "From pyproject."
        requires-python = ">=3.11"
        dependencies = ["hpack"]
        [tool.mattermost-plugin]
        exclude = ["notes"]
        on_failure = "reject"
    """
    folder = write_plugin(manifest={"version": None}, files={"pyproject.toml": pyproject})
    project = read_project(folder)
    assert (project.manifest["name"], project.version) == ("Hello", "4.5.6")
    assert project.manifest["description"] == "From pyproject."
    assert project.manifest["props"] == {"mattermost_plugin": {"on_failure": "reject"}}
    assert project.dependencies == ("hpack",)
    assert project.exclude == ("notes",)


@pytest.mark.parametrize(
    ("pyproject", "problem"),
    [
        ("[project", "pyproject.toml: not TOML"),
        ("project = 1", "pyproject.toml: project: not a table"),
        (
            "[project]\nrequires-python = 'new'",
            "pyproject.toml: project.requires-python: 'new' is not a version range",
        ),
        (
            "[tool.mattermost-plugin]\nexlude = []",
            "pyproject.toml: tool.mattermost-plugin.exlude: is not a setting; did you mean exclude?",
        ),
        ("[tool.mattermost-plugin]\nexclude = 'a'", "tool.mattermost-plugin.exclude: not a list of patterns"),
        (
            "[tool.mattermost-plugin]\nqueue_size = -1",
            "queue_size: must be a whole number from 0, at most 1000000",
        ),
    ],
)
def test_a_wrong_pyproject_is_told_with_its_key(
    write_plugin: WritePlugin, pyproject: str, problem: str
) -> None:
    assert problem in problems_of(write_plugin(files={"pyproject.toml": pyproject}))[0]


def test_a_policy_set_twice_is_refused(write_plugin: WritePlugin) -> None:
    folder = write_plugin(
        manifest={"props": {"mattermost_plugin": {"on_failure": "allow"}}},
        files={"pyproject.toml": "[tool.mattermost-plugin]\non_failure = 'reject'"},
    )
    assert "is set in pyproject.toml too" in problems_of(folder)[0]
