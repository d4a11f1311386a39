"""Amazon's services, and servers that speak as they do: clients with bounded waits, and every error one clear sentence.

client         a client for one service, made from the settings
asking         a block that asks the service: what boto3 raises in it is one of our errors
translated     our error for an error of boto3's
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import SecretStr

from janitor.errors import BadSetting, JanitorError, Rejected, Unavailable
from janitor.settings.settings import Settings

TRIES = 3
"""How often a request is sent, if the service is busy or the network fails."""
CONNECTIONS = 16
QUIET = ("boto3", "botocore", "s3transfer")
"""These log whole requests at DEBUG, messages and all that is secret in them."""
MOST_CHARACTERS = 300
"""How much of a service's own message stands in a sentence."""

KEY_CODES = frozenset(
    "AuthFailure IncompleteSignature InvalidAccessKeyId InvalidClientTokenId InvalidSecurity SignatureDoesNotMatch "
    "MissingAuthenticationToken UnrecognizedClientException".split()
)
TOKEN_CODES = frozenset("ExpiredToken ExpiredTokenException InvalidToken".split())
DENIED_CODES = frozenset(
    "403 AccessDenied AccessDeniedException AllAccessDisabled Forbidden UnauthorizedAccess".split()
)
MISSING_CODES = frozenset(
    "404 AWS.SimpleQueueService.NonExistentQueue NoSuchBucket NoSuchKey NotFound QueueDoesNotExist".split()
)
CLOCK_CODES = frozenset("RequestExpired RequestTimeTooSkewed".split())
BUSY_CODES = frozenset(
    "429 OverLimit RequestLimitExceeded RequestThrottled RequestTimeout SlowDown Throttling ThrottlingException "
    "TooManyRequestsException".split()
)


def client(settings: Settings, service: str, wanted_by: str = "this", **config: Any) -> Any:
    """Make a client of boto3's for a service, such as `"sqs"` or `"s3"`; any thread may use it. Close it after use.

    Where it is, and as whom it asks, say AWS_REGION, AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID and so on; without a key boto3
    looks for a role of this machine. Connecting is bounded by CONNECT_TIMEOUT_SECONDS, an answer by
    STATEMENT_TIMEOUT_SECONDS. `config` are further options of botocore's `Config`. `wanted_by` says in an error who
    needs boto3.

    Raises:
        Rejected: boto3 is not installed.
        BadSetting: half an access key is given, no region, or an address that is none.
    """
    session, make_config = _boto3(wanted_by)
    settings.check_aws()
    key, secret, token = settings.aws_access_key_id, settings.aws_secret_access_key, settings.aws_session_token
    options = {
        "connect_timeout": settings.connect_timeout_seconds,
        "read_timeout": settings.statement_timeout_seconds,
        "retries": {"total_max_attempts": TRIES, "mode": "standard"},
        "max_pool_connections": CONNECTIONS,
        **config,
    }
    endpoint = settings.given(f"AWS_ENDPOINT_URL_{service.upper()}") or settings.aws_endpoint_url
    try:
        with asking(f"the service {service}"):
            return session.client(
                service,
                region_name=settings.aws_region or settings.aws_default_region,
                endpoint_url=endpoint,
                aws_access_key_id=None if key is None else settings.fresh("AWS_ACCESS_KEY_ID"),
                aws_secret_access_key=_secret(settings, "AWS_SECRET_ACCESS_KEY", secret),
                aws_session_token=_secret(settings, "AWS_SESSION_TOKEN", token),
                config=make_config(**options),
            )
    except ValueError as exc:
        raise BadSetting("AWS_ENDPOINT_URL", endpoint, "give a URL such as https://queues.lab:9324") from exc


def _secret(settings: Settings, name: str, given: SecretStr | None) -> str | None:
    return None if given is None else str(settings.fresh(name).get_secret_value())


def _boto3(wanted_by: str) -> tuple[Any, Any]:
    """A session of boto3's and the class of its options; boto3 takes a third of a second to import."""
    try:
        import boto3
        from botocore.config import Config
    except ImportError as exc:
        raise Rejected(f"{wanted_by} needs boto3: install Janitor with the extra 'aws'") from exc
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.INFO)
    return boto3.session.Session(), Config


@contextmanager
def asking(where: str) -> Iterator[None]:
    """Ask a service in a block; `where` names in an error what is asked for, such as `the bucket 'results'`.

    Raises:
        Unavailable, Rejected, BadSetting: what boto3 raised in the block, as one sentence.
    """
    from botocore.exceptions import BotoCoreError, ClientError
    from urllib3.exceptions import HTTPError

    try:
        yield
    except (BotoCoreError, ClientError, HTTPError) as exc:
        raise translated(exc, where) from exc


def translated(error: Exception, where: str) -> JanitorError:
    """Our error for an error that boto3 raised as it asked for `where`; no secret stands in it."""
    from botocore import exceptions

    match error:
        case exceptions.ClientError():
            return _of_answer(error, where)
        case exceptions.NoRegionError():
            return BadSetting("AWS_REGION", None, f"give the region of {where}")
        case exceptions.NoCredentialsError() | exceptions.PartialCredentialsError():
            fix = "give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or let this machine have a role"
            return BadSetting("AWS_ACCESS_KEY_ID", None, f"{where} needs an access key: {fix}")
        case exceptions.SSLError():
            fix = "set AWS_CA_BUNDLE to the CA that signed its certificate, or correct AWS_ENDPOINT_URL"
            return Rejected(f"{where} cannot be reached over TLS: {_line(error)}; {fix}")
        case exceptions.ReadTimeoutError():
            return Unavailable(f"{where} gave no answer in time")
        case exceptions.HTTPClientError() | exceptions.ConnectionError() | exceptions.IncompleteReadError():
            return Unavailable(f"{where} cannot be reached: {_line(error)}")
        case exceptions.CredentialRetrievalError() | exceptions.MetadataRetrievalError():
            return Unavailable(f"no access key for {where} could be had: {_line(error)}")
        case exceptions.BotoCoreError():
            return Rejected(f"{where} cannot be asked: {_line(error)}")
    return Unavailable(f"the connection to {where} was lost: {_line(error)}")


def _of_answer(error: Any, where: str) -> JanitorError:
    """What an answer means that is an error: by its code, else by its status."""
    told = error.response.get("Error", {})
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)
    code, text = str(told.get("Code", "")), _line(told.get("Message") or error)
    operation = error.operation_name
    if code in KEY_CODES:
        fix = "correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        return Rejected(f"{where} does not take the access key: {fix} ({text})")
    if code in TOKEN_CODES:
        return Rejected(f"{where} does not take the session token: give a new AWS_SESSION_TOKEN ({text})")
    if code in CLOCK_CODES:
        return Rejected(f"{where} refuses a request for its time: set the clock of this machine right ({text})")
    if code in DENIED_CODES:
        return Rejected(f"{where} may not be used for {operation}: let Janitor's access key or role do that ({text})")
    if code in MISSING_CODES:
        return Rejected(f"{where} does not exist: make it, or correct its name or AWS_REGION ({text})")
    if code in BUSY_CODES or status >= 500:
        return Unavailable(f"{where} is busy, or cannot answer {operation} just now: {text} ({code})")
    return Rejected(f"{where} refused {operation}: {text} ({code})")


def _line(said: object) -> str:
    """One line of what a service, or boto3, says."""
    return " ".join(str(said).split()).rstrip(".")[:MOST_CHARACTERS]
