import * as tf from '@tensorflow/tfjs';

/**
 * The model of a topology with weights from a file. Nothing is left of it if they do not fit.
 *
 * @throws what tfjs says about the topology or the weights.
 */
export async function buildModel({ weightData, weightSpecs, ...rest }: tf.io.ModelArtifacts): Promise<tf.LayersModel> {
  const specs = weightSpecs ?? [];
  let expected = true;
  const artifacts = {
    ...rest,
    weightSpecs: specs,
    // Where weights will follow, tfjs makes them without their initializers, some of which take long.
    get weightData() {
      return expected ? weightData : undefined;
    },
    // Read when the model has been made: tfjs would leave the weights it has decoded behind if they do not fit.
    get userDefinedMetadata() {
      expected = false;
      return rest.userDefinedMetadata;
    },
  };
  const model = await tf.loadLayersModel(tf.io.fromMemory(artifacts as tf.io.ModelArtifacts));
  try {
    tf.tidy(() => {
      const weights = tf.io.decodeWeights(weightData as ArrayBuffer, specs);
      model.loadWeights(weights);
    });
  } catch (error) {
    model.dispose();
    throw error;
  }
  return model;
}
