"""Clients of AWS from the settings, against moto's server, a server that is away, and answers that others have seen."""

import logging
import subprocess
import sys
from typing import Any

import pytest
from botocore import exceptions

from janitor.errors import BadSetting, JanitorError, Rejected, Unavailable
from janitor.items import aws as amazon
from janitor.logs.mask import mask_for
from janitor.settings import Settings
from tests.servers import free_port
from tests.servers.aws import KEY_ID, REGION, SECRET, Aws


def settings_for(server: Aws, **changes: str) -> Settings:
    given = {name: value for name, value in {**server.environment(), **changes}.items() if value}
    return Settings.load(given, dotenv=None)


def answer(code: str, status: int = 400, message: str = "it says so") -> exceptions.ClientError:
    told = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return exceptions.ClientError(told, "ReceiveMessage")


def test_a_client_asks_where_the_settings_say(aws: Aws) -> None:
    queue = aws.create_queue()
    sqs = amazon.client(settings_for(aws), "sqs")
    assert sqs.get_queue_url(QueueName=queue.name)["QueueUrl"] == queue.url
    assert (sqs.meta.region_name, sqs.meta.endpoint_url) == (REGION, aws.url)
    sqs.close()
    queue.delete()


def test_the_address_of_one_service_goes_before_that_of_all(aws: Aws) -> None:
    elsewhere = f"http://127.0.0.1:{free_port()}"
    settings = settings_for(aws, AWS_ENDPOINT_URL=elsewhere, AWS_ENDPOINT_URL_SQS=aws.url, AWS_REGION="")
    settings = Settings.load({**settings.environ, "AWS_DEFAULT_REGION": "us-west-1"}, dotenv=None)
    sqs, s3 = amazon.client(settings, "sqs"), amazon.client(settings, "s3")
    assert (sqs.meta.endpoint_url, s3.meta.endpoint_url) == (aws.url, elsewhere)
    assert sqs.meta.region_name == s3.meta.region_name == "us-west-1"


def test_waits_and_tries_are_bounded(aws: Aws) -> None:
    settings = settings_for(aws, CONNECT_TIMEOUT_SECONDS="3", STATEMENT_TIMEOUT_SECONDS="17")
    config = amazon.client(settings, "sqs").meta.config
    assert (config.connect_timeout, config.read_timeout, config.retries["total_max_attempts"]) == (3, 17, 3)
    assert amazon.client(settings, "sqs", read_timeout=2).meta.config.read_timeout == 2


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"AWS_SECRET_ACCESS_KEY": ""}, "AWS_SECRET_ACCESS_KEY is missing: give both"),
        ({"AWS_ACCESS_KEY_ID": ""}, "AWS_ACCESS_KEY_ID is missing: give both"),
        ({"AWS_REGION": ""}, "AWS_REGION is missing: give the region"),
        ({"AWS_ENDPOINT_URL": "queues"}, "AWS_ENDPOINT_URL is 'queues': give a URL"),
    ],
)
def test_what_is_missing_is_named(
    aws: Aws, changes: dict[str, str], what: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(BadSetting, match=f"^{what}"):
        amazon.client(settings_for(aws, **changes), "sqs")


def test_a_server_that_is_away_is_unavailable(aws: Aws) -> None:
    settings = settings_for(aws, AWS_ENDPOINT_URL=f"http://127.0.0.1:{free_port()}")
    sqs = amazon.client(settings, "sqs", retries={"total_max_attempts": 1})
    with pytest.raises(Unavailable, match=r"^the queue x cannot be reached: .*127\.0\.0\.1"):
        with amazon.asking("the queue x"):
            sqs.list_queues()


def test_a_queue_that_is_not_there_is_rejected(aws: Aws) -> None:
    sqs = amazon.client(settings_for(aws), "sqs")
    with pytest.raises(Rejected, match="^the queue x does not exist: make it, or correct its name or AWS_REGION"):
        with amazon.asking("the queue x"):
            sqs.get_queue_url(QueueName="nowhere")


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (answer("SignatureDoesNotMatch", 403), Rejected, "does not take the access key: correct AWS_ACCESS_KEY_ID"),
        (answer("ExpiredToken"), Rejected, "give a new AWS_SESSION_TOKEN"),
        (answer("RequestTimeTooSkewed", 403), Rejected, "set the clock of this machine right"),
        (answer("AccessDenied", 403), Rejected, "may not be used for ReceiveMessage: let Janitor's access key"),
        (answer("NoSuchBucket", 404), Rejected, "does not exist"),
        (answer("SlowDown", 503), Unavailable, "is busy"),
        (answer("ThrottlingException"), Unavailable, "is busy"),
        (answer("Mystery", 502), Unavailable, "cannot answer ReceiveMessage just now: it says so"),
        (answer("InvalidParameterValue"), Rejected, r"refused ReceiveMessage: it says so \(InvalidParameterValue\)"),
        (exceptions.ReadTimeoutError(endpoint_url="http://x"), Unavailable, "gave no answer in time"),
        (exceptions.SSLError(endpoint_url="https://x", error="bad"), Rejected, "set AWS_CA_BUNDLE"),
        (exceptions.NoCredentialsError(), BadSetting, "needs an access key"),
        (exceptions.CredentialRetrievalError(provider="role", error_msg="x"), Unavailable, "no access key"),
        (exceptions.ParamValidationError(report="a part\nis wrong."), Rejected, "a part is wrong$"),
        (OSError("cut"), Unavailable, "the connection to the queue x was lost: cut"),
    ],
)
def test_each_error_says_what_to_do(error: Exception, kind: type[JanitorError], words: str) -> None:
    said = amazon.translated(error, "the queue x")
    assert type(said) is kind and "the queue x" in str(said)
    with pytest.raises(kind, match=words):
        raise said


def test_other_errors_pass() -> None:
    with pytest.raises(ZeroDivisionError), amazon.asking("the queue x"):
        raise ZeroDivisionError


def test_without_boto3_the_extra_is_named(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(Rejected, match="^the inbox analyses needs boto3: install Janitor with the extra 'aws'$"):
        amazon.client(settings_for(aws), "sqs", "the inbox analyses")


def test_boto3_is_imported_only_when_it_is_used() -> None:
    code = "import sys, janitor.items.aws; sys.exit('boto3' in sys.modules or 'botocore' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_the_secret_is_masked_and_requests_are_not_logged(aws: Aws, caplog: pytest.LogCaptureFixture) -> None:
    settings = settings_for(aws, AWS_SESSION_TOKEN="token-of-the-session")
    mask = mask_for(settings)
    assert SECRET not in mask(f"x {SECRET} y") and "token-of" not in mask("token-of-the-session")
    assert mask(KEY_ID) == KEY_ID and SECRET not in repr(settings)
    queue = aws.create_queue()
    caplog.set_level(logging.DEBUG)
    sqs = amazon.client(settings, "sqs")
    sqs.send_message(QueueUrl=queue.url, MessageBody="a secret message")
    assert "a secret message" not in caplog.text
    queue.delete()


def test_a_key_that_changes_in_its_file_is_taken(aws: Aws, tmp_path: Any) -> None:
    held = tmp_path / "secret"
    held.write_text("first")
    settings = settings_for(aws, AWS_SECRET_ACCESS_KEY="", AWS_SECRET_ACCESS_KEY_FILE=str(held))
    held.write_text("second")
    with amazon.asking("x"):
        frozen = amazon.client(settings, "sqs")._request_signer._credentials.get_frozen_credentials()
    assert frozen.secret_key == "second"
