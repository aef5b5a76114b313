"""Florence-2 about a folder of photos with Daft.

    florence serve &
    python3 daft_batch.py http://127.0.0.1:8080 photos answers --task od --task caption

Started again, it goes on with the photos that are not in `answers`.
"""

import daft
import pyarrow as pa

from florence_http import Florence, arguments, schema, todo


def main():
    args = arguments(__doc__)
    columns = daft.DataType.from_arrow_type(pa.struct(schema(args.task)))

    @daft.cls
    class Ask(Florence):
        @daft.method(return_dtype=columns, unnest=True)
        async def row(self, path):
            return await self.ask(path)

    florence = Ask(args.url, args.task, args.text, args.in_flight, args.patience)
    # A file for each chunk: what is written is not lost when the next one is interrupted.
    for paths in todo(args.photos, args.answers, args.chunk):
        daft.from_arrow(paths).select(florence.row(daft.col("path"))).write_parquet(args.answers)


if __name__ == "__main__":
    main()
