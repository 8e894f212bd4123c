/** How a file holds data: tables have named columns, arrays have axes. */
export type DataFormat = 'csv' | 'parquet' | 'npy' | 'npz' | 'idx';

/** The MNIST files are called `train-images-idx3-ubyte.gz`, or unpacked `train-images.idx3-ubyte`. */
const IDX = /[-.]idx\d?([-.]u?byte)?(\.gz)?$/i;

/** The format that a file's name says; CSV where it says none. */
export function formatOf(path: string): DataFormat {
  if (/\.npy(\.gz)?$/i.test(path)) return 'npy';
  if (/\.npz$/i.test(path)) return 'npz';
  if (/\.parquet$/i.test(path)) return 'parquet';
  if (IDX.test(path)) return 'idx';
  return 'csv';
}
