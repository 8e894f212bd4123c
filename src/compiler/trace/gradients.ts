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

/** Registers the gradients; the function returned puts tfjs' own back. */
export function swapGradients(): () => void {
  const original = tf.getGradient('Conv2D');
  if (!original) throw new Error('this version of tfjs has no gradient of Conv2D; shardfit needs @tensorflow/tfjs 4');
  tf.registerGradient({
    ...original,
    gradFunc: (dy, saved, attrs) => conv2dGradient(dy as tf.Tensor, saved, attrs as unknown as ConvAttrs),
  });
  return () => tf.registerGradient(original);
}
