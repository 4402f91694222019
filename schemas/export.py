"""The contract as JSON Schema, for producers and consumers in other languages.

`python -m schemas.export` writes `schemas/json/`: one file a message, and `event_types.json`, which says for each
event type the file that describes its `data` and the topic. With `--check` nothing is written; files that are not
what the models say are named, and the exit status is 1.
"""

import json
import re
import sys
from pathlib import Path

from schemas.base import Model
from schemas.event_types import EVENT_TYPES

FOLDER = Path(__file__).with_name("json")
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def file_name(model: type[Model]) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", model.__name__).lower() + ".json"


def exported() -> dict[str, str]:
    """Every file's name and text."""
    models = {kind.model for kind in EVENT_TYPES.values()} | {
        kind.tombstone for kind in EVENT_TYPES.values() if kind.tombstone
    }
    files = {file_name(model): {"$schema": DIALECT} | model.model_json_schema() for model in models}
    files["event_types.json"] = {
        name: {
            "data": file_name(kind.model),
            "topic": kind.topic or "delivery.<channel>, delivery.retry.<seconds>",
        }
        | ({"data_when_only_ids": file_name(kind.tombstone)} if kind.tombstone else {})
        for name, kind in EVENT_TYPES.items()
    }
    return {name: json.dumps(content, indent=2, ensure_ascii=False) + "\n" for name, content in files.items()}


def stale(folder: Path = FOLDER) -> list[str]:
    """The files in `folder` that are missing, differ, or describe nothing any more."""
    wanted = exported()
    present = {path.name: path.read_text() for path in folder.glob("*.json")}
    return sorted(name for name in wanted | present if wanted.get(name) != present.get(name))


def write(folder: Path = FOLDER) -> None:
    """Make `folder` hold the exported files and no other JSON."""
    wanted = exported()
    folder.mkdir(exist_ok=True)
    for path in folder.glob("*.json"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text)


def main(arguments: list[str]) -> int:
    if arguments == ["--check"]:
        outdated = stale()
        if outdated:
            print(f"out of date, run `python -m schemas.export`: {', '.join(outdated)}", file=sys.stderr)
        return 1 if outdated else 0
    if arguments:
        print("usage: python -m schemas.export [--check]", file=sys.stderr)
        return 2
    write()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
