/** Gradients that tfjs lacks or has wrong, registered in place of its own for the time of a trace. */
import * as tf from '@tensorflow/tfjs';

interface ConvAttrs {
  strides: number | [number, number];
  pad: string | number | [number, number][];
  dataFormat: string;
  dilations: number | [number, number];
}

/** tfjs refuses gradients of dilated convolutions; the compiler's kernels take the dilation as one more attribute. */
function conv2dGradient(dy: tf.Tensor, saved: tf.Tensor[], attrs: ConvAttrs): Record<string, () => tf.Tensor> {
  const [x, filter] = saved as [tf.Tensor, tf.Tensor];
  const run = (kernel: string, inputs: Record<string, tf.Tensor>, more: object): tf.Tensor =>
    tf.engine().runKernel(kernel, inputs, { ...attrs, ...more } as unknown as tf.NamedAttrMap) as tf.Tensor;
  return {
    x: () => run('Conv2DBackpropInput', { dy, filter }, { inputShape: x.shape }),
    filter: () => run('Conv2DBackpropFilter', { x, dy }, { filterShape: filter.shape }),
  };
}

/** As one kernel, so that the compiler sees that it is softmax and not products and sums. */
function softmaxGradient(dy: tf.Tensor, saved: tf.Tensor[], attrs: { dim: number }): Record<string, () => tf.Tensor> {
  const [y] = saved as [tf.Tensor];
  return { logits: () => tf.engine().runKernel('SoftmaxGrad', { dy, y }, attrs) as tf.Tensor };
}

/** dy for each element that was added up: tfjs multiplies by ones of the size of x, which it would write out here. */
function sumGradient(dy: tf.Tensor, saved: tf.Tensor[], attrs: { axis?: number | number[] | null }) {
  const [x] = saved as [tf.Tensor];
  const axes = tf.util.parseAxisParam(attrs.axis ?? (null as unknown as number[]), x.shape);
  const kept = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  return { x: () => tf.broadcastTo(tf.reshape(dy, kept), x.shape) };
}

function meanGradient(dy: tf.Tensor, saved: tf.Tensor[], attrs: { axis?: number | number[] | null }) {
  const [x] = saved as [tf.Tensor];
  return sumGradient(tf.div(dy, x.size / dy.size), saved, attrs);
}

/** dy summed over the copies. tfjs adds up one slice a copy, so that the step would grow with the rows it is traced for. */
function tileGradient(dy: tf.Tensor, saved: tf.Tensor[], { reps }: { reps: number[] }) {
  const [x] = saved as [tf.Tensor];
  const split = x.shape.flatMap((size, axis) => [reps[axis] as number, size]);
  const copies = x.shape.map((_, axis) => 2 * axis);
  return { x: () => tf.sum(tf.reshape(dy, split), copies) };
}

// biome-ignore lint/suspicious/noExplicitAny: each gradient has attributes of its own
type GradientFunction = (dy: tf.Tensor, saved: tf.Tensor[], attrs: any) => Record<string, () => tf.Tensor>;

const GRADIENTS: Record<string, GradientFunction> = {
  Conv2D: conv2dGradient,
  Mean: meanGradient,
  Softmax: softmaxGradient,
  Sum: sumGradient,
  Tile: tileGradient,
};

/** Steps have no gradient in tfjs, not even zero: layers such as ThresholdedReLU multiply by them. */
const STEPS = ['Equal', 'Greater', 'GreaterEqual', 'Less', 'LessEqual', 'NotEqual'];

function zeroGradients(_: unknown, saved: tf.Tensor[]): Record<string, () => tf.Tensor> {
  const [a, b] = saved as [tf.Tensor, tf.Tensor];
  return { a: () => tf.zerosLike(a), b: () => tf.zerosLike(b) };
}

/** Registers the gradients; the function returned puts tfjs' own back. */
export function swapGradients(): () => void {
  const originals = Object.keys(GRADIENTS).map((kernelName) => {
    const original = tf.getGradient(kernelName);
    if (!original) throw new Error(`this tfjs has no gradient of ${kernelName}; shardfit needs @tensorflow/tfjs 4`);
    return original;
  });
  for (const original of originals) {
    const gradFunc = GRADIENTS[original.kernelName] as GradientFunction;
    tf.registerGradient({ ...original, gradFunc: (dy, saved, attrs) => gradFunc(dy as tf.Tensor, saved, attrs) });
  }
  const added = STEPS.filter((kernelName) => !tf.getGradient(kernelName));
  for (const kernelName of added)
    tf.registerGradient({ kernelName, inputsToSave: ['a', 'b'], gradFunc: zeroGradients });
  return () => {
    originals.forEach(tf.registerGradient);
    added.forEach(tf.unregisterGradient);
  };
}
