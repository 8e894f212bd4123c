import type * as tf from '@tensorflow/tfjs';

export function build(): tf.LayersModel;
