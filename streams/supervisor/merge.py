"""Many `/metrics` into one: each sample gets a label `role`, each metric stays one family."""

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector


class _Merged(Collector):
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def merge(own: CollectorRegistry, by_role: Mapping[str, str]) -> bytes:
    """The registry's metrics as they are, and each role's exposition text with its label, in text format."""
    families: dict[str, Metric] = {family.name: family for family in own.collect()}
    for role, text in by_role.items():
        for family in _labelled(text, role):
            families.setdefault(family.name, _empty(family)).samples.extend(family.samples)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Merged(families.values()))
    return generate_latest(registry)


def _labelled(text: str, role: str) -> Iterator[Metric]:
    for family in text_string_to_metric_families(text):
        family.samples = [sample._replace(labels={**sample.labels, "role": role}) for sample in family.samples]
        yield family


def _empty(family: Metric) -> Metric:
    return Metric(family.name, family.documentation, family.type, family.unit)
