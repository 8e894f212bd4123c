/** Gradients that tfjs lacks or has wrong, registered in place of its own for the time of a trace. */
import * as tf from '@tensorflow/tfjs';

type GradientFunction = (
  dy: tf.Tensor,
  saved: tf.Tensor[],
  // biome-ignore lint/suspicious/noExplicitAny: each gradient has attributes of its own
  attrs: any,
) => Record<string, () => tf.Tensor>;

function run(kernel: string, inputs: Record<string, tf.Tensor>, attrs: object): tf.Tensor {
  return tf.engine().runKernel(kernel, inputs, attrs as unknown as tf.NamedAttrMap) as tf.Tensor;
}

/** tfjs refuses gradients of dilated convolutions; the compiler's kernels take the dilation as one more attribute. */
const convolutionGradient =
  (backpropInput: string, backpropFilter: string): GradientFunction =>
  (dy, saved, attrs) => {
    const [x, filter] = saved as [tf.Tensor, tf.Tensor];
    return {
      x: () => run(backpropInput, { dy, filter }, { ...attrs, inputShape: x.shape }),
      filter: () => run(backpropFilter, { x, dy }, { ...attrs, filterShape: filter.shape }),
    };
  };

/** Of a transposed convolution, which is the gradient of a convolution by its input; tfjs has none over three axes. */
const conv3dTransposeGradient: GradientFunction = (ddx, saved, attrs) => {
  const [dy, filter] = saved as [tf.Tensor, tf.Tensor];
  return {
    dy: () => run('Conv3D', { x: ddx, filter }, { ...attrs, dilations: 1 }),
    filter: () => run('Conv3DBackpropFilterV2', { x: ddx, dy }, { ...attrs, filterShape: filter.shape }),
  };
};

/** As one kernel, so that the compiler sees that it is softmax and not products and sums. */
function softmaxGradient(dy: tf.Tensor, saved: tf.Tensor[], attrs: { dim: number }): Record<string, () => tf.Tensor> {
  const [y] = saved as [tf.Tensor];
  return { logits: () => tf.engine().runKernel('SoftmaxGrad', { dy, y }, attrs) as tf.Tensor };
}

/** Sums of what was broadcast, so that a gradient has the shape of its input. */
function reduceTo(shape: number[], gradient: tf.Tensor): tf.Tensor {
  const axes = tf.backend_util.getReductionAxes(shape, gradient.shape);
  return tf.reshape(axes.length > 0 ? tf.sum(gradient, axes) : gradient, shape);
}

/** Of an operation on two tensors. tfjs' own gives gradients of the broadcast shape for some, and then fails. */
const pairGradient =
  (da: (dy: tf.Tensor, a: tf.Tensor, b: tf.Tensor) => tf.Tensor, db: typeof da): GradientFunction =>
  (dy, saved) => {
    const [a, b] = saved as [tf.Tensor, tf.Tensor];
    return { a: () => reduceTo(a.shape, da(dy, a, b)), b: () => reduceTo(b.shape, db(dy, a, b)) };
  };

const times = (dy: tf.Tensor, condition: tf.Tensor): tf.Tensor => tf.mul(dy, tf.cast(condition, 'float32'));
const twice = (dy: tf.Tensor, x: tf.Tensor): tf.Tensor => tf.mul(dy, tf.mul(2, x));

/** Of (x - mean) / sqrt(variance + epsilon) * scale + offset. tfjs' own takes statistics of one axis, the last, only. */
const batchNormGradient =
  (original: GradientFunction): GradientFunction =>
  (dy, saved, attrs) => {
    const [x, mean, variance, scale] = saved as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
    if (mean.rank === 1) return original(dy, saved, attrs);
    const inverse = tf.rsqrt(tf.add(variance, attrs.varianceEpsilon));
    const scaled = tf.mul(dy, scale);
    const centered = tf.sub(x, mean);
    const dx = tf.mul(scaled, inverse);
    return {
      x: () => dx,
      mean: () => reduceTo(mean.shape, tf.neg(dx)),
      variance: () =>
        tf.mul(reduceTo(mean.shape, tf.mul(scaled, centered)), tf.mul(-0.5, tf.mul(inverse, tf.square(inverse)))),
      scale: () => reduceTo(scale.shape, tf.mul(dy, tf.mul(centered, inverse))),
      offset: () => reduceTo(scale.shape, dy),
    };
  };

/** dy for each element that was added up: tfjs multiplies by ones of the size of x, which it would write out here. */
const sumGradient: GradientFunction = (dy, saved, attrs) => {
  const [x] = saved as [tf.Tensor];
  const axes = tf.util.parseAxisParam(attrs.axis ?? null, x.shape);
  const kept = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  return { x: () => tf.broadcastTo(tf.reshape(dy, kept), x.shape) };
};

const meanGradient: GradientFunction = (dy, saved, attrs) => {
  const [x] = saved as [tf.Tensor];
  return sumGradient(tf.div(dy, x.size / dy.size), saved, attrs);
};

/** dy summed over the copies. tfjs adds up one slice a copy, so that the step would grow with the rows it is traced for. */
const tileGradient: GradientFunction = (dy, saved, attrs) => {
  const [x] = saved as [tf.Tensor];
  const split = x.shape.flatMap((size, axis) => [attrs.reps[axis], size]);
  const copies = x.shape.map((_, axis) => 2 * axis);
  return { x: () => tf.sum(tf.reshape(dy, split), copies) };
};

/** 1 where clipping changes nothing: one comparison with what was computed anyway, in place of two. */
const clipGradient: GradientFunction = (dy, saved, { clipValueMin, clipValueMax }) => {
  const [x] = saved as [tf.Tensor];
  return { x: () => times(dy, tf.equal(x, tf.clipByValue(x, clipValueMin, clipValueMax))) };
};

/** In place of tfjs' own. */
const REPLACED: Record<string, GradientFunction> = {
  ClipByValue: clipGradient,
  Conv2D: convolutionGradient('Conv2DBackpropInput', 'Conv2DBackpropFilter'),
  Conv3D: convolutionGradient('Conv3DBackpropInputV2', 'Conv3DBackpropFilterV2'),
  DepthwiseConv2dNative: convolutionGradient(
    'DepthwiseConv2dNativeBackpropInput',
    'DepthwiseConv2dNativeBackpropFilter',
  ),
  Maximum: pairGradient(
    (dy, a, b) => times(dy, tf.greaterEqual(a, b)),
    (dy, a, b) => times(dy, tf.less(a, b)),
  ),
  Mean: meanGradient,
  Minimum: pairGradient(
    (dy, a, b) => times(dy, tf.lessEqual(a, b)),
    (dy, a, b) => times(dy, tf.greater(a, b)),
  ),
  Softmax: softmaxGradient,
  SquaredDifference: pairGradient(
    (dy, a, b) => twice(dy, tf.sub(a, b)),
    (dy, a, b) => twice(dy, tf.sub(b, a)),
  ),
  Sum: sumGradient,
  Tile: tileGradient,
};

/** In place of tfjs' own, which they call where it is right. */
const WRAPPED: Record<string, (original: GradientFunction) => GradientFunction> = { FusedBatchNorm: batchNormGradient };

/** Steps have no gradient in tfjs, not even zero: layers such as ThresholdedReLU multiply by them. */
const STEPS = ['Equal', 'Greater', 'GreaterEqual', 'Less', 'LessEqual', 'NotEqual'];

function zeroGradients(_: unknown, saved: tf.Tensor[]): Record<string, () => tf.Tensor> {
  const [a, b] = saved as [tf.Tensor, tf.Tensor];
  return { a: () => tf.zerosLike(a), b: () => tf.zerosLike(b) };
}

/** Where tfjs has none. */
const ADDED: tf.GradConfig[] = [
  ...STEPS.map((kernelName) => ({ kernelName, inputsToSave: ['a', 'b'], gradFunc: zeroGradients as tf.GradFunc })),
  {
    kernelName: 'Conv3DBackpropInputV2',
    inputsToSave: ['dy', 'filter'],
    gradFunc: conv3dTransposeGradient as tf.GradFunc,
  },
];

/** Registers the gradients; the function returned puts tfjs' own back. */
export function swapGradients(): () => void {
  const originals = [...Object.keys(REPLACED), ...Object.keys(WRAPPED)].map((kernelName) => {
    const original = tf.getGradient(kernelName);
    if (!original) throw new Error(`this tfjs has no gradient of ${kernelName}; shardfit needs @tensorflow/tfjs 4`);
    return original;
  });
  for (const original of originals) {
    const { kernelName } = original;
    const gradFunc = WRAPPED[kernelName]?.(original.gradFunc as unknown as GradientFunction) ?? REPLACED[kernelName];
    tf.registerGradient({ ...original, gradFunc: gradFunc as unknown as tf.GradFunc });
  }
  const added = ADDED.filter(({ kernelName }) => !tf.getGradient(kernelName));
  added.forEach(tf.registerGradient);
  return () => {
    originals.forEach(tf.registerGradient);
    for (const { kernelName } of added) tf.unregisterGradient(kernelName);
  };
}
