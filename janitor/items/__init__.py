"""Items: work that comes piece by piece, in pipelines of steps.

add, add_all        add items, from any task
Step, Pipeline      what a pipeline is made of
Item, current_item  what a step gets
Failed              what a step raises to say by itself how an item failed
"""

from janitor.items.adding import New, add, add_all
from janitor.items.item import Item, current_item
from janitor.items.pipeline import Pipeline
from janitor.items.step import Step
from janitor.items.trying import Failed

__all__ = [
    "Failed",
    "Item",
    "New",
    "Pipeline",
    "Step",
    "add",
    "add_all",
    "current_item",
]
