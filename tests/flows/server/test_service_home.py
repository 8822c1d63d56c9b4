"""The password's file, the lock, the addresses."""

from __future__ import annotations

import re
import socket
import threading

import pytest

from flows.server.managed import Address
from flows.server.service_home import ServiceError, ServiceHome


@pytest.fixture
def home(tmp_path):
    return ServiceHome.of(tmp_path)


def test_the_password_is_made_once_for_its_owner_alone(home):
    secret = home.secret()
    assert re.fullmatch(r"ffn:[\w-]{43}", secret)  # 256 bits in base64
    assert home.secret() == secret
    assert home.auth_file.stat().st_mode & 0o777 == 0o600
    assert home.folder.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in home.folder.iterdir()] == ["auth"]


def test_two_first_starts_agree(home):
    found = []
    threads = [threading.Thread(target=lambda: found.append(home.secret())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


@pytest.mark.parametrize("mode", [0o644, 0o660, 0o602])
def test_a_password_that_others_may_read_or_write_is_refused(home, mode):
    home.secret()
    home.auth_file.chmod(mode)
    with pytest.raises(ServiceError, match=r"only its owner can read\. Remove it"):
        home.secret()


def test_a_link_in_its_place_is_refused(home, tmp_path):
    home.make()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("a:b\n")
    elsewhere.chmod(0o600)
    home.auth_file.symlink_to(elsewhere)
    with pytest.raises(ServiceError, match="only its owner"):
        home.secret()


@pytest.mark.parametrize("content", ["", "word\n", "a:b\x00c\n"])
def test_a_file_without_a_password_is_refused(home, content):
    home.secret()
    home.auth_file.write_text(content)
    with pytest.raises(ServiceError, match="contains no NAME:PASSWORD"):
        home.secret()


def test_one_service_at_a_time_and_its_address_goes_with_it(home):
    with home.held():
        home.announce(api="http://h/api", dashboard="http://h", ours=True)
        assert home.running() == ("http://h/api", home.secret())
        with pytest.raises(ServiceError, match="served already, at http://h"), home.held():
            pass
    assert home.running() is None


def test_a_service_that_was_killed_is_not_taken_for_one_that_runs(home):
    home.make()
    home.announce(api="http://h/api", dashboard="http://h", ours=True)
    (home.folder / "lock").touch()
    assert home.running() is None


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.4", False),
        ("example.org", False),
        ("localhost.example.org", False),
    ],
)
def test_who_can_reach_an_address(host, loopback):
    assert Address(host=host, port=1).is_loopback is loopback


def test_an_address_in_use_is_refused():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = Address(host="127.0.0.1", port=taken.getsockname()[1])
        with pytest.raises(
            ServiceError, match=r"nothing can listen .* Choose another address with --host"
        ):
            address.check_free()
    with pytest.raises(ServiceError, match="nothing can listen"):
        Address(host="203.0.113.7", port=4200).check_free()


def test_an_address_for_browsers_is_one_that_a_browser_can_open():
    assert Address(host="0.0.0.0", port=4200).dashboard == "http://127.0.0.1:4200"
    assert Address(host="::1", port=4200).api == "http://[::1]:4200/api"
