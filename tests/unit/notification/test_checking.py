"""What a template may do, and what it is refused for."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas import Refused
from schemas.configuration import ProviderTemplate, Template
from schemas.reasons import ChannelName, NotificationType, RefusedReason
from streams.policy.notification.checking import check
from streams.policy.notification.sample import sample
from streams.policy.notification.texts import LANGUAGES
from streams.policy.notification.texts.wording import Occasion, Sources
from streams.policy.notification.vocabulary import PLACEHOLDERS
from streams.policy.notification.writers import WRITERS, Own, write


def template(body_text: str = "Hallo", **fields: object) -> Template:
    known = {"company_id": "co", "version": 1, "template_id": "t", "channel": ChannelName.EMAIL, "locale": "de"}
    return Template(**known, body_text=body_text, **fields)  # type: ignore[arg-type]


def detail(template: Template) -> str:
    with pytest.raises(Refused) as refused:
        check(template)
    assert refused.value.reason is RefusedReason.UNKNOWN_PLACEHOLDER
    assert len(refused.value.detail.splitlines()) == 1
    return refused.value.detail


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("plain } text { with % signs", set()),
        ("{{customer_name}}", {"customer_name"}),
        ("{{ customer_name | upper | default('x', true) }}", {"customer_name"}),
        ("{{ customer_name|truncate(20) }}{{ branch_phone|replace(' ', '') }}", {"customer_name", "branch_phone"}),
        ("{% if staff_name and not extra.vip %}a{% elif cancel_url %}b{% endif %}", {"staff_name", "cancel_url"}),
        ("{% if extra.kind == 'a' %}{% if 'b' in extra.kind %}x{% endif %}{% endif %}", set()),
        ("{{ 'Hi ' ~ customer_name if customer_name else staff_name or '!' }}", {"customer_name", "staff_name"}),
        ("{# a remark #}{% raw %}100 %{% endraw %}", set()),
    ],
)
def test_allowed(source: str, names: set[str]) -> None:
    """Placeholders, filters that make text of text, and conditions are what a template may use."""
    assert check(template(source)) == names


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("{{ customer_nmae }}", "there is no placeholder 'customer_nmae'"),
        ("{{ extra }}", "extra.<name> is meant"),
        ("{% if nobody %}{% endif %}", "there is no placeholder 'nobody'"),
        ("{% if false and '' %}{{ nobody }}{% endif %}", "a constant"),
        ("a\n{{ customer_name }", "unexpected '}' (line 2)"),
        ("{% if customer_name %}", "Unexpected end of template"),
        ("{% endif %}", "unknown tag 'endif'"),
        ("{% for x in extra %}{% endfor %}", "a loop (line 1) is not allowed"),
        ("{{ customer_name.upper() }}", "a call (line 1) is not allowed"),
        ("{{ customer_name.upper }}", "an attribute (line 1) is not allowed"),
        ("{{ extra.a.b }}", "an attribute (line 1) is not allowed"),
        ("{{ ''.__class__.__mro__ }}", "an attribute (line 1) is not allowed"),
        ("{{ customer_name[0] }}", "an index (line 1) is not allowed"),
        ("{{ extra['a'] }}", "an index (line 1) is not allowed"),
        ("{% set a = 'b' %}", "assign (line 1) is not allowed"),
        ("{% include 'x' %}", "include (line 1) is not allowed"),
        ("{% macro a() %}{% endmacro %}", "macro (line 1) is not allowed"),
        ("{{ 10**10**10 }}", "pow (line 1) is not allowed"),
        ("{{ customer_name is defined }}", "a test with `is` (line 1) is not allowed"),
        ("{{ customer_name if customer_name }}", "a choice without else"),
        ("{{ customer_name == 'a' }}", "a comparison as text"),
        ("{% if appointment_duration > '30' %}{% endif %}", "only ==, !=, in and not in"),
        ("{% if 5 in customer_name %}{% endif %}", "a constant that is no text"),
        ("{{ customer_name|safe }}", "there is no filter 'safe'"),
        ("{{ customer_name|random }}", "there is no filter 'random'"),
        ("{{ customer_name|attr('x') }}", "there is no filter 'attr'"),
        ("{{ customer_name|truncate(1) }}", "the filter truncate cannot be used so"),
        ("{{ customer_name|upper('x') }}", "the filter upper cannot be used so"),
        ("{{ customer_name|default(staff_name) }}", "a filter's argument is quoted text"),
        ("{{ customer_name|default(*extra) }}", "is not allowed"),
        ("{% raw %}{{ customer_name }}{% endraw %}", "{{ would be left over"),
        ("customer_name }}", "}} would be left over"),
        ("{{ '{{x}}' }}", "{{ would be left over"),
        (r"{{ '\x7b\x7bx' }}", "{{ would be left over"),
        (r"{{ '\ud800' }}", "half a character"),
        ("{{ " + "(" * 3000 + "customer_name" + ")" * 3000 + " }}", "nested too deeply"),
        ("{{ " + "customer_name or " * 500 + "customer_name }}", "nested too deeply"),
        ("{% if extra.a %}" * 200 + "{% endif %}" * 200, "nested too deeply"),
    ],
)
def test_refused(source: str, why: str) -> None:
    """Everything else is refused in one line that says where and why."""
    said = detail(template(source))
    assert said.startswith("body_text: ")
    assert why in said


@pytest.mark.parametrize("source", ["{{ staff_name }}" * 2000, "{{ ''" + "~''" * 5000 + " }}", "{{" * 10_000])
def test_endless_templates(source: str) -> None:
    """A template that would take seconds to read is refused before it is read."""
    assert detail(template(body_html=source)) == "body_html: it has too many placeholders and conditions"


def test_a_reason_is_short() -> None:
    """Whatever stands in the template, the reason fits into a line of a log."""
    for source in (
        "{% " + "x" * 9000 + " %}",
        "{{ " + "x" * 9000 + " }}",
        "{{ customer_name|" + "x" * 9000 + " }}",
    ):
        assert len(detail(template(source))) < 400


def test_every_field_is_looked_at() -> None:
    """Subject, HTML and the parameters of a provider's template are looked at like the text."""
    assert detail(template(subject="{{ x }}")) == "subject: there is no placeholder 'x'"
    assert detail(template(body_html="{{ x }}")) == "body_html: there is no placeholder 'x'"
    approved = ProviderTemplate(name="n", language="de", parameters=("customer_name", "extra.room"))
    assert check(template(provider_template=approved)) == {"customer_name"}
    wrong = approved.model_copy(update={"parameters": ("x",)})
    assert detail(template(provider_template=wrong)) == (
        "provider_template.parameters: there is no placeholder 'x'"
    )


def test_a_style_sheet_is_no_placeholder() -> None:
    """What ends in two braces in HTML is not taken for a placeholder."""
    assert check(template(body_html="<style>@media print{p{margin:0}}</style>")) == frozenset()


def test_every_placeholder_has_a_value() -> None:
    """Each placeholder of the contract is there for each event type, filled or empty."""
    source = "".join(f"{{{{ {name} }}}}" for name in PLACEHOLDERS)
    assert check(template(source)) == set(PLACEHOLDERS)
    for locale, language in LANGUAGES.items():
        for occasion in language.texts:
            values = sample(occasion.event_type, locale, {})
            assert set(PLACEHOLDERS) < set(values)


def test_what_an_event_type_can_fill_is_filled() -> None:
    """Where nothing is missing, an event type fills all that a template for it may use; but for the time before,
    which only a move has, and the links of a callback, which nobody invents."""
    for event_type in NotificationType:
        values = sample(event_type, "de", {})
        can = {name for name, types in PLACEHOLDERS.items() if event_type in types}
        if event_type != "appointment.rescheduled":
            can -= {"previous_appointment_time"}
        if event_type.startswith("callback."):
            can = {name for name in can if not name.endswith("_url")}
        assert {name for name, value in values.items() if value and name in PLACEHOLDERS} >= can


PIECES = (
    "text ", "ä😀", "{", "}", "{{", "}}", "{%", "%}", " if ", "else", "endif", "elif ", "for x in ", "endfor",
    "{{ customer_name }}", "{{ extra.a }}", "{{ staff_name|upper }}", "{% if staff_name %}", "{% endif %}",
    "{% else %}", "customer_name", "extra", ".a", "|", "default", "('x')", "truncate(5)", " ~ ", " or ", " == ",
    "'{{'", "\\", "\n", "{#", "#}", "()", "[0]", " is ", " not ", " in ", "5", "safe",
)  # fmt: skip
sources = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
hostile = st.text("{}%<>&'\"#x \n\r\x00\x85äß😀", max_size=20)


@given(sources, sources, hostile)
@example(
    "{{ customer_name|truncate(5)|urlencode|title }}", "{{ customer_name|e|replace('x', '{')|e }}", "{{x}} <a>"
)
def test_what_is_not_refused_can_be_sent(source: str, html: str, value: str) -> None:
    """Whatever template and value: it is refused when it arrives, or it gives a message on every channel, of which
    the subject is one line."""
    try:
        check(template(source, subject=source, body_html=html))
    except Refused:
        return
    for channel in WRITERS:
        own = Own("t", 1, channel, Sources(source, source, html))
        for text in ("", value):
            values = dict.fromkeys(PLACEHOLDERS, text) | {"is_urgent": False, "extra": {"a": text}}
            content = write(channel, Occasion("appointment.created", "customer"), "de", values, own)
            assert content["body_text"].strip()
            assert len(content.get("subject", "").splitlines()) <= 1


@given(hostile)
@example("{{x}}")
@example("<script>alert(1)</script>")
def test_values_arrive_as_they_are(value: str) -> None:
    """A value that looks like a template or like markup is text, in the text part and, escaped, in the HTML."""
    own = Own("t", 1, "email", Sources(None, "x{{ customer_name }}", "<p>{{ customer_name }}</p>"))
    check(template(own.sources.text, body_html=own.sources.html))
    values = {**sample("appointment.created", "de", {}), "customer_name": value}
    content = write("email", Occasion("appointment.created", "customer"), "de", values, own)
    assert content["body_text"] == "x" + value.replace("\x00", "").replace("\r", "")
    inside = content["body_html"].removeprefix("<p>").removesuffix("</p>")
    assert not {"<", ">", '"', "'"} & set(inside)
