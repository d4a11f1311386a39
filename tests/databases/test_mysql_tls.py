"""TLS: what the options of a URL ask for, and what is handed to the driver."""

import ssl
from typing import Any

import pytest
from sqlalchemy import make_url

from janitor.databases.mysql_tls import Tls, tls_arguments, tls_of, tls_of_url

NOTHING, VERIFIED = Tls(False, False, False), Tls(True, True, True)


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        ({}, NOTHING),
        ({"connect_timeout": 5.0}, NOTHING),
        ({"ssl_disabled": True}, NOTHING),
        ({"ssl_disabled": False}, Tls(True, False, False)),
        ({"ssl_cert": "a", "ssl_key": "b"}, Tls(True, False, False)),
        ({"ssl_ca": "a"}, VERIFIED),
        ({"ssl_capath": "a", "ssl_disabled": False}, VERIFIED),
        ({"ssl_verify_cert": True}, VERIFIED),
        ({"ssl_verify_identity": True}, VERIFIED),
        ({"ssl_ca": "a", "ssl_verify_identity": False}, Tls(True, True, False)),
        ({"ssl_ca": "a", "ssl_verify_cert": False}, Tls(True, False, False)),
    ],
)
def test_what_options_ask_for(options: dict[str, Any], asked: Tls) -> None:
    assert tls_of(options) == asked


def test_the_driver_gets_a_context_a_refusal_or_nothing() -> None:
    assert tls_arguments({}) == {} and tls_arguments({"ssl_disabled": True}) == {"ssl_disabled": True}
    context = tls_arguments({"ssl_verify_identity": True, "ssl_cipher": "ECDHE+AESGCM"})["ssl"]
    assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)
    context = tls_arguments({"ssl_disabled": False})["ssl"]
    assert (context.check_hostname, context.verify_mode) == (False, ssl.CERT_NONE)
    with pytest.raises(FileNotFoundError):
        tls_arguments({"ssl_ca": "/no/such/file"})


def test_a_url_says_in_words_what_is_verified() -> None:
    url = make_url("mysql+pymysql://u@h/d?ssl_ca=/ca.pem")
    assert str(tls_of_url(url)) == "certificate and host name verified"
    assert str(tls_of_url(url.set(query={}))) == "certificate not verified: give ssl_ca"
