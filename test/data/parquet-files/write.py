"""Writes the Parquet files of this folder with pyarrow, as others write them. `python write.py` in this folder."""

import datetime

import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 60
size = [(i * 37 % 11) - 5.0 for i in range(ROWS)]
age = [i * 7 % 5 for i in range(ROWS)]
table = pa.table(
    {
        "size": size,
        "age": pa.array(age, "int64"),
        "new": [i % 3 == 0 for i in range(ROWS)],
        "kind": ["big" if s > 0 else "small" for s in size],
    }
)
pq.write_table(table, "snappy.parquet", row_group_size=25)
pq.write_table(table, "gzip-v2.parquet", compression="gzip", data_page_version="2.0")
pq.write_table(table, "brotli.parquet", compression="brotli", use_dictionary=False)
pq.write_table(table, "lz4.parquet", compression="lz4")


def small(name, column):
    pq.write_table(pa.table({"a": column, "y": [1.0, 2.5, 3.5]}), f"{name}.parquet", compression="none")


small("numbers", [1.0, 2.0, 3.0])
small("null", [1.0, None, 3.0])
small("nan", [1.0, 2.0, float("nan")])
small("text", ["1", "2", "old"])
small("lists", [[1.0], [2.0], [3.0]])
small("dates", [datetime.date(2020, 1, 1)] * 3)
small("large", [1e39, 1.0, 2.0])
pq.write_table(table.slice(0, 0), "empty.parquet")
