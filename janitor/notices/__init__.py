"""Notices: an operator is told if something goes wrong, and again when it is well.

history.py     how a job's runs ended             <- the state database's table `runs`
facts.py       what the rules look at
item_facts.py  what the rules of items look at    <- the tables of items, by item_finder.py and item_reading.py
rules/         a file for each rule               facts -> the conditions that hold
house.py       the state database as a whole      its identity -> the conditions that hold
comparison.py  conditions and open notices        -> steps: begin, repeat, end
outbox.py      steps                              -> rows of `notices` and `deliveries`
watch.py       the loop that goes from facts to the outbox every NOTICE_CHECK_SECONDS
post.py        a thread for each channel          rows of `deliveries` -> channel.send
mail.py, webhooks.py                              the channels
pings.py, sentry.py                               each run told to an outside service, without rules
wing.py        opens all of this beside the clock
"""
