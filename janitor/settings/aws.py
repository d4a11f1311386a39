"""The settings of Amazon's services, and of servers that speak as they do; all AWS tools read these names."""

from pydantic import Field

from janitor.errors import BadSetting
from janitor.settings.group import SettingsGroup
from janitor.settings.kinds import Secret


class AwsSettings(SettingsGroup):
    """Where queues and buckets are, and as whom Janitor asks for them.

    AWS_ENDPOINT_URL_SQS and AWS_ENDPOINT_URL_S3 are AWS_ENDPOINT_URL for one service alone.
    """

    aws_region: str | None = Field(None, min_length=1, description="the AWS region of queues and buckets")
    aws_default_region: str | None = Field(None, min_length=1, description="the same, if AWS_REGION is not given")
    aws_access_key_id: str | None = Field(
        None, min_length=1, description="the id of an AWS access key; the role of this machine without it"
    )
    aws_secret_access_key: Secret | None = Field(None, description="the secret of that access key")
    aws_session_token: Secret | None = Field(None, description="the token that goes with a temporary access key")
    aws_endpoint_url: str | None = Field(
        None, min_length=1, description="the address of another server that speaks as AWS does: a URL"
    )

    def check_aws(self) -> None:
        """Refuse half an access key.

        Raises:
            BadSetting: one of the id and the secret is missing.
        """
        if (self.aws_access_key_id is None) != (self.aws_secret_access_key is None):
            missing = "AWS_ACCESS_KEY_ID" if self.aws_access_key_id is None else "AWS_SECRET_ACCESS_KEY"
            raise BadSetting(missing, None, "give both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or neither")
