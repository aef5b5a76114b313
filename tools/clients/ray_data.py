"""Florence-2 about a folder of photos with Ray Data.

    florence serve &
    python3 ray_data.py http://127.0.0.1:8080 photos answers --task od --task caption

Started again, it goes on with the photos that are not in `answers`. On a cluster:
`ray job submit --working-dir tools/clients -- python3 ray_data.py …`, with folders that all machines share.
"""

import asyncio

import pyarrow as pa
import ray

from florence_http import Florence, arguments, schema, todo


class Ask:
    """An actor with one HTTP session."""

    def __init__(self, *args):
        self.florence = Florence(*args)

    async def __call__(self, batch):
        rows = await asyncio.gather(*map(self.florence.ask, batch["path"].to_pylist()))
        return pa.Table.from_pylist(rows, schema(self.florence.tasks))


def main():
    args = arguments(__doc__)
    # A block and a file for each chunk.
    if paths := todo(args.photos, args.answers, args.chunk):
        ray.data.from_arrow(paths).map_batches(
            Ask,
            fn_constructor_args=(args.url, args.task, args.text, args.in_flight, args.patience),
            batch_format="pyarrow",
            batch_size=args.in_flight,
            compute=ray.data.ActorPoolStrategy(size=1),
            num_cpus=0,  # it only waits
        ).write_parquet(args.answers)


if __name__ == "__main__":
    main()
