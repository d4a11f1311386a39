"""The settings of AWS: half an access key is refused."""

import pytest

from janitor.errors import BadSetting
from janitor.settings.aws import AwsSettings


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"AWS_ACCESS_KEY_ID": "a"}, "AWS_SECRET_ACCESS_KEY"),
        ({"AWS_SECRET_ACCESS_KEY": "s"}, "AWS_ACCESS_KEY_ID"),
    ],
)
def test_half_an_access_key_is_refused(given: dict[str, str], missing: str) -> None:
    with pytest.raises(BadSetting, match=f"^{missing} is missing: give both"):
        AwsSettings.read(given).check_aws()


def test_a_whole_key_or_none_is_right() -> None:
    AwsSettings.read({}).check_aws()
    whole = AwsSettings.read({"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "hush"})
    whole.check_aws()
    assert "hush" not in repr(whole)
