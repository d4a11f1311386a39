"""The clock of the example, beside a shop that changes all the time: `python -m examples.sync_table.run`."""

import sys

from sqlalchemy import make_url

from examples.sync_table import shop, tasks
from janitor import cli
from janitor.scheduler import Scheduler
from janitor.settings import Settings

SHOP = make_url("sqlite:///var/shop.db")
PRICE_LIST = make_url("sqlite:///var/price_list.db")


def build(settings: Settings) -> Scheduler:
    """A clock with three jobs, not started: the shop itself, the price list, and the comparison of each night."""
    scheduler = Scheduler(settings)
    scheduler.add_job(shop.trade, "interval", seconds=2, args=[SHOP], id="shop")
    scheduler.add_job(tasks.follow, "interval", seconds=3, args=[SHOP, PRICE_LIST], id="price_list")
    scheduler.add_job(tasks.compare, "cron", hour=1, args=[SHOP, PRICE_LIST], id="price_list_compare")
    return scheduler


def main() -> None:
    """Make both databases, if they are missing; then do what the command line asks."""
    shop.make(SHOP, PRICE_LIST)
    sys.exit(cli.main(build))


if __name__ == "__main__":
    main()
