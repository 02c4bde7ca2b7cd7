-- Nothing was written, so there is nothing to keep.
rollback
