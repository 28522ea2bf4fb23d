"""Takes the libraries of TensorFlow and the C headers out of its wheel: extract_wheel.py WHEEL FOLDER"""

import os
import shutil
import sys
import zipfile

LIBRARIES = (
    "tensorflow/libtensorflow_cc.so.2",
    "tensorflow/libtensorflow_framework.so.2",
)
INCLUDE = "tensorflow/include/"
HEADERS = tuple(INCLUDE + "tensorflow/" + part for part in ("c/", "core/platform/", "tsl/"))


def target(member):
    """Where a member of the wheel goes, or None if it is not needed."""
    if member in LIBRARIES:
        return os.path.join("lib", os.path.basename(member))
    if member.endswith(".h") and member.startswith(HEADERS):
        return os.path.join("include", member[len(INCLUDE) :])
    return None


def main(wheel, folder):
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.namelist():
            path = target(member)
            if path is None:
                continue
            path = os.path.join(folder, path)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with archive.open(member) as source, open(path, "wb") as sink:
                shutil.copyfileobj(source, sink, 1 << 20)


main(*sys.argv[1:])
