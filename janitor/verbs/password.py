"""The verb `password`: what `WEB_USERS` takes in place of a password."""

import sys

import click


@click.command("password")
def password() -> None:
    """Ask for a password, print the hash that WEB_USERS takes."""
    from janitor.settings import passwords

    if sys.stdin.isatty():
        given = click.prompt("Password", hide_input=True, confirmation_prompt="Once more", err=True)
    else:
        given = sys.stdin.readline().rstrip("\r\n")
    print(passwords.hashed(given))
