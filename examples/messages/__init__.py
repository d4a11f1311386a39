"""Each scan of a parcel becomes one message on an exchange: see `README.md`."""
