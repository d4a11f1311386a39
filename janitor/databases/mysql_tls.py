"""TLS with MySQL and MariaDB: what the options of a URL ask for, and what a connection has.

    options of the URL                                  the connection
    none                                                encrypted if the server can, not verified
    ssl_ca, ssl_capath, ssl_verify_cert=true            encrypted, certificate and host name verified
    the same, and ssl_verify_identity=false             encrypted, certificate verified
    another ssl option, or ssl_disabled=false           encrypted, not verified
    ssl_disabled=true                                   not encrypted

The context is made here: PyMySQL forgets `ssl_ca` if SQLAlchemy passes it on beside `ssl_verify_identity`.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import URL

from janitor.settings.database_options import options_of


@dataclass(frozen=True)
class Tls:
    """What is asked of a connection's encryption."""

    required: bool
    certificate: bool
    host_name: bool

    def __str__(self) -> str:
        """What is verified, in words."""
        if self.certificate:
            return "certificate and host name verified" if self.host_name else "certificate verified, host name not"
        return "certificate not verified: give ssl_ca"


def tls_of(options: Mapping[str, Any]) -> Tls:
    """What the options of a URL ask for."""
    required = any(name.startswith("ssl_") for name in options) and not options.get("ssl_disabled")
    identity = options.get("ssl_verify_identity", options.get("ssl_check_hostname"))
    trusted = any(name in options for name in ("ssl_ca", "ssl_capath"))
    certificate = required and options.get("ssl_verify_cert", trusted or bool(identity))
    return Tls(required, certificate, certificate and identity is not False)


def tls_of_url(url: URL) -> Tls:
    """What a URL asks for."""
    return tls_of(options_of(url))


def tls_arguments(options: Mapping[str, Any]) -> dict[str, Any]:
    """PyMySQL's arguments for what the options ask for; the files are read now.

    Raises:
        OSError: a file cannot be read, or is no certificate or key.
    """
    tls = tls_of(options)
    if not tls.required:
        return {"ssl_disabled": True} if options.get("ssl_disabled") else {}
    context = _verifying(options, tls) if tls.certificate else unverified()
    if "ssl_cert" in options:
        context.load_cert_chain(options["ssl_cert"], options.get("ssl_key"), options.get("ssl_key_password"))
    if "ssl_cipher" in options:
        context.set_ciphers(options["ssl_cipher"])
    return {"ssl": context}


def unverified() -> ssl.SSLContext:
    """A context that encrypts and verifies nothing, and so reads none of the certificates that the machine trusts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _verifying(options: Mapping[str, Any], tls: Tls) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=options.get("ssl_ca"), capath=options.get("ssl_capath"))
    # Since Python 3.13 the default is stricter than the certificates that MySQL makes for itself.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.check_hostname = tls.host_name
    return context
