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

// biome-ignore lint/suspicious/noExplicitAny: each gradient has attributes of its own
type GradientFunction = (dy: tf.Tensor, saved: tf.Tensor[], attrs: any) => Record<string, () => tf.Tensor>;

const GRADIENTS: Record<string, GradientFunction> = { Conv2D: conv2dGradient, Softmax: softmaxGradient };

/** Steps have no gradient in tfjs, not even zero: layers such as ThresholdedReLU multiply by them. */
const STEPS = ['Equal', 'Greater', 'GreaterEqual', 'Less', 'LessEqual', 'NotEqual'];

function zeroGradients(_: unknown, saved: tf.Tensor[]): Record<string, () => tf.Tensor> {
  const [a, b] = saved as [tf.Tensor, tf.Tensor];
  return { a: () => tf.zeros(a.shape), b: () => tf.zeros(b.shape) };
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
