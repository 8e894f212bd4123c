/** Names of the built-in workloads, with the batch size each has by default. Apart from the models: `--help` needs no tfjs. */
export const WORKLOADS = {
  '10-20-1': 20,
  '784-128-10': 128,
  '784-512-512-10': 512,
  cnn: 128,
  vgg: 64,
  lstm: 32,
  'residual-cnn': 64,
  mobilenet: 64,
  embedding: 128,
} as const;

export type WorkloadName = keyof typeof WORKLOADS;

/** Those with batch norm, whose statistics may be those of a mini-batch or of each shard. */
export const NORMALIZED: ReadonlySet<WorkloadName> = new Set(['residual-cnn', 'mobilenet']);
