"""HOST:PORT on the command line."""

from __future__ import annotations

import pytest

from bench.errors import UsageError
from bench.live.address import listen_address, server_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("a.example", ("a.example", 1700)),
        ("10.0.0.1:1680", ("10.0.0.1", 1680)),
        ("[2001:db8::1]:1680", ("2001:db8::1", 1680)),
        ("[2001:db8::1]", ("2001:db8::1", 1700)),
    ],
)
def test_servers_are_read_as_people_write_them(text: str, address: tuple[str, int]) -> None:
    assert server_address(text) == address
    assert listen_address(text) == address


@pytest.mark.parametrize(
    "text",
    ["", ":1700", "a:", "a:0", "a:70000", "a:1_0", "a b:1", "a/b", "a..b", "[]:1", "[::1", "[::1]x", "::1", "x" * 64],
)
def test_what_is_no_server_says_so(text: str) -> None:
    with pytest.raises(UsageError):
        server_address(text)


def test_a_port_alone_listens_on_every_interface_and_0_lets_the_system_choose() -> None:
    assert listen_address("1700") == ("0.0.0.0", 1700)
    assert listen_address("127.0.0.1:0") == ("127.0.0.1", 0)
