# SPDX-License-Identifier: Apache-2.0
"""Answers pip in place of a package's build backend, so that a download stays a download.

`pip download` asks the backend of a source distribution for its metadata, which runs the package's
own setup.py and, before it, whatever versions of the build's dependencies are the newest that day.
ada-url names setuptools.build_meta as its backend (PEP 517). cmake/ada/fetch puts this module in its
place; it runs nothing of the package.
"""

import pathlib


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    """Writes the least that pip accepts: the name and version that requirements.txt pins."""
    info = pathlib.Path(metadata_directory, "ada_url-4.0.0.dist-info")
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ada-url\nVersion: 4.0.0\n")
    return info.name
