"""Every setting of the house in one frozen object, and the settings of tasks beside it; all are read once, at start.

A room's settings stand in a file of their own, as a group; `Settings` joins the groups, one line for each. A task's
settings stand beside the task, as a group too. `run.py` hands these groups to `load`, so a malformed value stops the
start, whichever group it belongs to. The task finds its group again with `settings.of(TheGroup)`.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from pydantic import PrivateAttr
from pydantic.fields import FieldInfo
from sqlalchemy import URL

from janitor.errors import BadSetting
from janitor.settings.aws import AwsSettings
from janitor.settings.clock import ClockSettings
from janitor.settings.database_urls import URL_HELP, database_url
from janitor.settings.databases import DatabaseSettings
from janitor.settings.group import SettingsGroup
from janitor.settings.items import ItemSettings
from janitor.settings.jobs_file import JobsFileSettings
from janitor.settings.logs import LogSettings
from janitor.settings.mail import MailSettings
from janitor.settings.notices import NoticeSettings
from janitor.settings.paths import absolute
from janitor.settings.rabbitmq import BrokerSettings
from janitor.settings.redis import RedisSettings
from janitor.settings.rotation import Rotation
from janitor.settings.secrets import is_plain, is_secret, secret_texts
from janitor.settings.sources import from_files, in_quotes, variables_from
from janitor.settings.state import StateSettings
from janitor.settings.web import WebSettings

Group = TypeVar("Group", bound=SettingsGroup)
Groups = Sequence[type[SettingsGroup]]
NO_QUOTES = "leave its quotes out: docker run --env-file keeps them; if they belong to the value, give it in a file"


class Settings(
    MailSettings,
    NoticeSettings,
    WebSettings,
    JobsFileSettings,
    ItemSettings,
    AwsSettings,
    RedisSettings,
    BrokerSettings,
    LogSettings,
    ClockSettings,
    StateSettings,
    DatabaseSettings,
):
    """Every setting of the house, by its variable's name in lower case; `of` finds those of a task."""

    _environ: Mapping[str, str] = PrivateAttr(default_factory=dict)
    _of_tasks: Mapping[type[SettingsGroup], SettingsGroup] = PrivateAttr(default_factory=dict)
    _taken: dict[str, str] = PrivateAttr(default_factory=dict)
    _quoted: frozenset[str] = PrivateAttr(default_factory=frozenset)
    _folder: Path = PrivateAttr(default_factory=Path.cwd)
    _rotation: Rotation = PrivateAttr(default_factory=Rotation)

    @classmethod
    def load(
        cls,
        environ: Mapping[str, str] | None = None,
        dotenv: str | Path | None = ".env",
        of_tasks: Groups = (),
    ) -> "Settings":
        """Read the settings from `environ` (`os.environ` if None) over the file `dotenv`, if there is such a file.

        An empty value counts as absent. `<NAME>_FILE` is the path of a file that holds the value of `<NAME>`.
        `of_tasks` are the groups of settings that tasks declare.

        Raises:
            BadSetting: a value is malformed. The error names the variable and says what would be right.
        """
        given, folder = os.environ if environ is None else environ, Path.cwd()
        known = {name: field for group in (cls, *of_tasks) for name, field in group.variables().items()}
        variables, quoted = variables_from(given, dotenv, known), in_quotes(given)
        for name in sorted(quoted & known.keys()):
            raise BadSetting(name, "(not shown)" if is_secret(known[name]) else variables[name], NO_QUOTES)
        settings = cls.read(variables, folder=folder)
        settings._environ, settings._quoted, settings._folder = variables, quoted, folder
        settings._rotation = Rotation(variables, folder)
        settings._of_tasks = {group: group.read(variables, folder=folder) for group in of_tasks}
        return settings

    @property
    def environ(self) -> Mapping[str, str]:
        """Every variable that has a value, for names that are made at run time, such as `<JOB>_ENABLED`."""
        return self._environ

    @property
    def known(self) -> Mapping[str, FieldInfo]:
        """Each variable that the house, or a task, declares, with its field."""
        return {name: field for group in (self, *self._of_tasks.values()) for name, field in group.variables().items()}

    def of(self, group: type[Group]) -> Group:
        """The settings that a task declares as `group`.

        A group that was not handed to `load` is read now.

        Raises:
            BadSetting: a value is malformed; this cannot happen to a group that was handed to `load`.
        """
        if group in self._of_tasks:
            return cast(Group, self._of_tasks[group])
        absent = group.variables().keys() - self._environ.keys()
        found = from_files(self._environ, sorted(absent), self._folder)
        return group.read({**self._environ, **found}, folder=self._folder)

    def given(self, name: str) -> str | None:
        """The value of a variable whose name is made at run time, such as `<JOB>_ENABLED`; None if it is not given.

        Raises:
            BadSetting: the file of `<NAME>_FILE` cannot be read, or the value stands in quotes.
        """
        if name in self._quoted:
            raise BadSetting(name, "(not shown)", NO_QUOTES)
        value = self._environ.get(name)
        return from_files(self._environ, [name], self._folder).get(name) if value is None else value

    def value(self, name: str) -> Any:
        """The value of the variable `name`, which the house or a task declares.

        Raises:
            BadSetting: no group declares it.
        """
        for group in (self, *self._of_tasks.values()):
            if name in group.variables():
                return getattr(group, name.lower())
        raise BadSetting("the setting", name, "no group of settings declares it; run.py hands the groups to `cli.main`")

    def database(self, name: str) -> URL | None:
        """The database URL in the variable `name`, declared or not; None if it is not given.

        Raises:
            BadSetting: it is malformed; the value is not repeated.
        """
        if name in self.known:
            return cast("URL | None", self.value(name))
        given = self.given(name)
        try:
            return None if given is None else cast(URL, absolute(database_url(given), self._folder))
        except ValueError as exc:
            raise BadSetting(name, "(not shown)", str(exc)) from exc

    def needed(self, name: str) -> URL:
        """The database URL in the variable `name`, declared or not.

        Raises:
            BadSetting: it is missing or malformed.
        """
        url = self.database(name)
        if url is None:
            raise BadSetting(name, None, URL_HELP)
        return url

    def fresh(self, name: str) -> Any:
        """The value of the variable `name`, as it is right for a login now: its file is read again, if it has one.

        If it cannot be read, or is malformed, the value is that of the login before; the log tells it.

        Raises:
            BadSetting: no group declares the variable.
        """
        at_start = self.value(name)
        for text, is_now in self._texts(name):
            group = next(group for group in (type(self), *self._of_tasks) if name in group.variables())
            try:
                found = getattr(group.read({name: text}, folder=self._folder), name.lower())
            except BadSetting as exc:
                self._rotation.tell(name, str(exc))
                continue
            if is_now:
                self._take(name, text)
            return found
        return at_start

    def fresh_text(self, name: str, check: Callable[[str], object]) -> str | None:
        """The value of a variable that no group declares, as it is right now; None if it is not given.

        What cannot be read is as it was, as `fresh` says; so is what `check` refuses with a ValueError.

        Raises:
            BadSetting: as `given` does.
        """
        for text, is_now in self._texts(name):
            try:
                check(text)
            except ValueError as exc:
                self._rotation.tell(name, str(exc))
                continue
            if is_now:
                self._take(name, text)
            return text
        return self.given(name)

    def login(self, url: URL) -> URL:
        """A database URL with the user and the password that are right now.

        If a file has it, the file is read again. If that names another database by now, it counts at the next start.
        """
        for name in self._rotation.names:
            with suppress(BadSetting):
                for text, is_now in self._texts(name) if self.database(name) == url else ():
                    if (found := self._login_from(name, text, url)) is not None:
                        if is_now:
                            self._take(name, text)
                        return found
        return url

    def _login_from(self, name: str, text: str, url: URL) -> URL | None:
        try:
            now = cast(URL, absolute(database_url(text), self._folder))
        except ValueError as exc:
            self._rotation.tell(name, str(exc))
            return None
        if now.set(username="", password="") != url.set(username="", password=""):
            self._rotation.tell(name, "its file names another database, which counts from the next start on")
            return None
        return now

    def _texts(self, name: str) -> list[tuple[str, bool]]:
        """What a variable may be now, and whether its file holds that now; if not, it was taken from the file last."""
        found = ((self._rotation.text(name), True), (self._rotation.last(name), False))
        return [(text, is_now) for text, is_now in found if text is not None]

    def _take(self, name: str, text: str) -> None:
        if self._rotation.take(name, text):
            self.keep_secret(name, text)

    def secrets(self) -> list[str]:
        """Every text that must not be shown: the value of each secret setting, or the password in it."""
        # A default stands in the documentation, so it is no secret.
        marked = [name for name, field in self.known.items() if is_secret(field) and self.value(name) != field.default]
        return [text for name in marked for text in secret_texts(self.value(name))] + self._undeclared_passwords()

    @property
    def taken(self) -> Mapping[str, str]:
        """Each secret that a jobs file took from the environment, with its variable; it grows when the file changes.

        What the file made of a secret is there without a variable. A child process gets it with the settings.
        """
        return self._taken

    def keep_secret(self, name: str, value: str, whole: bool = True) -> None:
        """Mask the value of a variable from now on, or what was made of it, if it is not the `whole` value.

        Settings that are no secrets, and the system's own variables, stay plain.
        """
        field = self.known.get(name)
        if (not is_plain(name)) if field is None else is_secret(field):
            self._taken[value] = name if whole else self._taken.get(value, "")

    def _undeclared_passwords(self) -> list[str]:
        found: list[str] = []
        for name in self._environ.keys() - self.known.keys():
            with suppress(BadSetting):
                found += secret_texts(self.database(name)) if name.endswith("_DATABASE_URL") else []
        return found

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """`settings.lab_database_url` is the database URL in LAB_DATABASE_URL; None if it is not given."""
            return self.database(name.upper()) if name.endswith("_database_url") else super().__getattr__(name)
