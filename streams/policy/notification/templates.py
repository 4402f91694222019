"""A company's own templates, and which configurations use them.

A template is looked at when it arrives, and again together with each configuration that uses it, whichever of the
two comes second. What is refused changes nothing: the version before it stays in force.
"""

from schemas.configuration import NotificationConfig, ProviderTemplate, Template, TemplateDeleted
from schemas.reasons import IntakeResult
from streams.policy.notification import rows
from streams.policy.notification.checking import check, must_fill
from streams.policy.notification.memory import Memory
from streams.policy.notification.rows import DIRECTORY, KEPT
from streams.policy.notification.texts.wording import Sources
from streams.policy.notification.triggers import STALE, Heard
from streams.policy.notification.writers import Own


def heard(data: Template | TemplateDeleted, at: float, memory: Memory) -> Heard:
    """Raises Refused for a template that must not be used."""
    key = f"template/{data.template_id}"
    before = memory.read(rows.Template, DIRECTORY, key)
    if before is not None and data.version <= before.version:
        return STALE
    if isinstance(data, TemplateDeleted):
        memory.write(DIRECTORY, key, rows.Template(int(at) + KEPT, data.version))
        return IntakeResult.APPLIED, ()
    names = check(data)
    for _, event_type in _users(data.template_id, memory):
        must_fill(names, event_type, data.template_id)
    row = rows.Template(
        0,
        data.version,
        data.channel,
        data.subject,
        data.body_text,
        data.body_html,
        tuple(sorted(names)),
        _approved(data.provider_template),
    )
    memory.write(DIRECTORY, key, row)
    return IntakeResult.APPLIED, ()


def own(template_id: str, memory: Memory) -> Own | None:
    """The template, if it is there: a configuration may name one that is still to come, or gone."""
    row = _standing(template_id, memory)
    if row is None:
        return None
    return Own(template_id, row.version, row.channel, Sources(row.subject, row.text, row.html), row.approved)


def _approved(template: ProviderTemplate | None) -> rows.Approved | None:
    return None if template is None else (template.name, template.language, template.parameters)


def must_suit(config: NotificationConfig, memory: Memory) -> None:
    """Raises Refused if the configuration's template needs what its event type never has."""
    row = _standing(config.template_id or "", memory)
    if row is not None:
        must_fill(frozenset(row.names), config.event_type, config.template_id or "")


def use(template_id: str, config_id: str, event_type: str, memory: Memory) -> None:
    """A configuration uses this template from now on."""
    if template_id:
        _write_users(template_id, (*_users(template_id, memory), (config_id, event_type)), memory)


def leave(template_id: str, config_id: str, memory: Memory) -> None:
    """A configuration no longer uses it."""
    if template_id:
        left = (each for each in _users(template_id, memory) if each[0] != config_id)
        _write_users(template_id, tuple(left), memory)


def _standing(template_id: str, memory: Memory) -> rows.Template | None:
    row = memory.read(rows.Template, DIRECTORY, f"template/{template_id}") if template_id else None
    return row if row is not None and row.channel else None


def _users(template_id: str, memory: Memory) -> tuple[tuple[str, str], ...]:
    row = memory.read(rows.Users, DIRECTORY, f"users/{template_id}")
    return row.configs if row is not None else ()


def _write_users(template_id: str, configs: tuple[tuple[str, str], ...], memory: Memory) -> None:
    key = f"users/{template_id}"
    if configs:
        memory.write(DIRECTORY, key, rows.Users(0, tuple(sorted(configs))))
    else:
        memory.delete(DIRECTORY, key)
