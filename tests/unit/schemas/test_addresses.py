"""Which addresses are written to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.addresses import usable_email, usable_phone


@pytest.mark.parametrize(
    "address",
    [
        "a@example.com",
        "j.müller+x@mail.example.co.uk",
        "a'b@exämple.de",
        "x" * 64 + "@example.com",
        "a@b-c.example",
    ],
)
def test_ordinary_addresses_are_usable(address: str) -> None:
    """Tags, umlauts and subdomains are ordinary."""
    assert usable_email(address) == address


@pytest.mark.parametrize(
    "address",
    [
        None,
        "",
        "a",
        "@example.com",
        "a@",
        "a@localhost",
        "a@@example.com",
        "a b@example.com",
        " a@example.com",
        "a@example.com ",
        "a@example.com\n",
        "a@example.com\r\nBcc: b@example.com",
        "a@exam\x00ple.com",
        "a\u2028@example.com",
        "a\u200b@example.com",
        "Anna <a@example.com>",
        "a@example.com,b@example.com",
        ".a@example.com",
        "a.@example.com",
        "a..b@example.com",
        "a@-example.com",
        "a@example-.com",
        "a@example..com",
        "a@127.0.0.1",
        "x" * 65 + "@example.com",
        "a@" + "x" * 64 + ".com",
        "a@" + "x." * 130 + "com",
    ],
)
def test_what_is_no_single_address_is_not_usable(address: str | None) -> None:
    """Anything that is not one plain address, or could reach into a header, is the same as no address."""
    assert usable_email(address) is None


@given(st.text(max_size=300) | st.text("a@.-<\r\n ", max_size=300))
def test_a_usable_address_fits_into_a_header(text: str) -> None:
    """Nothing usable holds blanks, line breaks, separators or brackets."""
    address = usable_email(text)
    if address is not None:
        assert address.isprintable()
        assert not set(' \r\n,;:<>()"\\') & set(address)


@pytest.mark.parametrize("number", ["+4915112345678", "+12025550123", "+1234567"])
def test_numbers_in_e164_are_usable(number: str) -> None:
    """A plus, the country and the number, in digits."""
    assert usable_phone(number) == number


@pytest.mark.parametrize(
    "number",
    [
        None,
        "",
        "015112345678",
        "+49 151 123",
        "+0123456789",
        "+4915112345678\n",
        "+1234567890123456",
        "+4９15112345678",
    ],
)
def test_other_numbers_are_not_usable(number: str | None) -> None:
    """A national number cannot be sent to: its country is not known."""
    assert usable_phone(number) is None
