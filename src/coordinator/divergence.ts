/** A warning if the loss of an epoch, in training or in validation, is no finite number any more. */
export function divergenceOf(epoch: number, logs: Record<string, number>): string | undefined {
  const name = ['loss', 'val_loss'].find((loss) => logs[loss] !== undefined && !Number.isFinite(logs[loss]));
  return (
    name &&
    `training has diverged: the ${name} of epoch ${epoch + 1} is ${logs[name]}; try a smaller learningRate, or an optimizer ` +
      'with globalClipNorm: 1'
  );
}
