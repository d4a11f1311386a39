"""Each statement on the state database, explained: the parts of the house that send them are all at work."""
