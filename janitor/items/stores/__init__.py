"""Result stores: where results are kept, each under its item's key.

FolderStore   a folder, on this machine or a shared one
S3Store       a bucket, at Amazon or at a server that speaks as it does
"""

from janitor.items.stores.folder import FolderStore
from janitor.items.stores.s3 import S3Store

__all__ = ["FolderStore", "S3Store"]
