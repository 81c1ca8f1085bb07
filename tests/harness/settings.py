"""The settings a test server runs with, as environment variables.

What is set this way cannot be changed through the server's API, so a test can neither let the server reach
outside this machine nor slow it down by limits. Everything else may be patched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["server_settings"]

NOTHING_OUTSIDE = {
    "ANNOUNCEMENTSETTINGS_ADMINNOTICESENABLED": "false",
    "ANNOUNCEMENTSETTINGS_USERNOTICESENABLED": "false",
    "EMAILSETTINGS_SENDEMAILNOTIFICATIONS": "false",
    "EMAILSETTINGS_SENDPUSHNOTIFICATIONS": "false",
    "LOGSETTINGS_ENABLEDIAGNOSTICS": "false",
    "LOGSETTINGS_ENABLESENTRY": "false",
    "PLUGINSETTINGS_AUTOMATICPREPACKAGEDPLUGINS": "false",
    "PLUGINSETTINGS_ENABLEMARKETPLACE": "false",
    "PLUGINSETTINGS_ENABLEREMOTEMARKETPLACE": "false",
    "PLUGINSETTINGS_REQUIREPLUGINSIGNATURE": "false",
    "SERVICESETTINGS_ENABLEEMAILINVITATIONS": "false",
    "SERVICESETTINGS_ENABLEGIFPICKER": "false",
    "SERVICESETTINGS_ENABLELINKPREVIEWS": "false",
    "SERVICESETTINGS_ENABLESECURITYFIXALERT": "false",
}

OPEN_FOR_TESTS = {
    "METRICSSETTINGS_ENABLE": "true",
    "METRICSSETTINGS_LISTENADDRESS": "127.0.0.1:0",
    "PLUGINSETTINGS_ENABLE": "true",
    "PLUGINSETTINGS_ENABLEUPLOADS": "true",
    "RATELIMITSETTINGS_ENABLE": "false",
    "SERVICESETTINGS_ENABLEAPIPOSTDELETION": "true",
    "SERVICESETTINGS_ENABLEAPIUSERDELETION": "true",
    "SERVICESETTINGS_ENABLEBOTACCOUNTCREATION": "true",
    "SERVICESETTINGS_ENABLELOCALMODE": "true",
    "SERVICESETTINGS_ENABLEONBOARDINGFLOW": "false",
    "TEAMSETTINGS_ENABLEOPENSERVER": "true",
    "TEAMSETTINGS_MAXUSERSPERTEAM": "10000",
}

READABLE_LOG = {
    "LOGSETTINGS_CONSOLEJSON": "true",
    "LOGSETTINGS_CONSOLELEVEL": "DEBUG",
    "LOGSETTINGS_ENABLECOLOR": "false",
    "LOGSETTINGS_ENABLECONSOLE": "true",
    "LOGSETTINGS_ENABLEFILE": "false",
    # The default cuts fields at 2 KiB, and tracebacks are fields.
    "LOGSETTINGS_MAXFIELDSIZE": "1000000",
}


def server_settings(directory: Path, database: str, port: int) -> dict[str, str]:
    """Return the environment variables for a server that keeps everything in `directory`.

    Args:
        directory: An existing folder for files, plugins and the socket of local mode.
        database: The address of an empty PostgreSQL database.
        port: The port to listen on; 0 for any that is free.
    """
    settings = {
        **NOTHING_OUTSIDE,
        **OPEN_FOR_TESTS,
        **READABLE_LOG,
        "FILESETTINGS_DIRECTORY": f"{directory}/files/",
        "PLUGINSETTINGS_CLIENTDIRECTORY": f"{directory}/client-plugins",
        "PLUGINSETTINGS_DIRECTORY": f"{directory}/plugins",
        "SERVICESETTINGS_LISTENADDRESS": f"127.0.0.1:{port}",
        "SERVICESETTINGS_LOCALMODESOCKETLOCATION": str(local_socket(directory)),
        "SQLSETTINGS_DATASOURCE": database,
        "SQLSETTINGS_DRIVERNAME": "postgres",
    }
    variables = {f"MM_{name}": value for name, value in settings.items()}
    variables["MM_CONFIG"] = f"{directory}/config.json"
    return variables


def local_socket(directory: Path) -> Path:
    """Return the path of the server's local-mode socket."""
    return directory / "local.sock"
