"""Run by CI with the Python of an empty environment into which the wheel was installed: is the wheel whole?

Every module can be imported without extras, every data file is there, and nobody else owns the packages' names.
"""

import importlib
import importlib.metadata
import pkgutil
import sys
from pathlib import Path

SOURCE = Path(__file__).parents[1]
PACKAGES = ("schemas", "streams", "agents", "sinks")
RUNS_WHEN_IMPORTED = ("__main__", "migrations")


def main() -> None:
    owners = importlib.metadata.packages_distributions()
    modules = 0
    for name in PACKAGES:
        assert owners[name] == ["staffetta"], f"{name} is owned by {owners[name]}"
        package = importlib.import_module(name)
        installed = Path(package.__path__[0])
        assert SOURCE not in installed.parents, f"{name} is imported from the source tree"
        for file in (SOURCE / name).rglob("*"):
            missing = file.is_file() and not (installed / file.relative_to(SOURCE / name)).exists()
            assert not missing or file.suffix == ".pyc", f"the wheel lacks {file.relative_to(SOURCE)}"
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            if not any(part in module.name.split(".") for part in RUNS_WHEN_IMPORTED):
                importlib.import_module(module.name)
                modules += 1
    print(f"{modules} modules imported from {sys.prefix}")


main()
