"""The filter language: one text, the same answer from Milvus and from memory."""

from tiepoint.index.filters.filter import Filter
from tiepoint.index.filters.mask import FilterColumn, FilterColumns
from tiepoint.index.filters.milvus import milvus_field, milvus_literal

__all__ = ["Filter", "FilterColumn", "FilterColumns", "milvus_field", "milvus_literal"]
