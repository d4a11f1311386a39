"""Whether anybody may come in, and by which names this machine may be asked then."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from janitor.settings.settings import Settings


def is_open(settings: Settings) -> bool:
    """Whether everybody on this machine may come in: the settings name no user and no token."""
    return not (settings.web_users or settings.web_operator_token or settings.web_viewer_token)


def host_is_ours(settings: Settings, host: str) -> bool:
    """Whether a request's Host is ours. If people sign in here, every Host is.

    Without that check another site could point a name of its own at this machine, and lead its visitors' browsers here.
    """
    if not is_open(settings):
        return True
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name in ("localhost", urlsplit(settings.web_url or "").hostname) or ip_address(name).is_loopback
    except ValueError:
        return False
