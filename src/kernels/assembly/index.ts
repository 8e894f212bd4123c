export { averageReplicas, averageReplicasOuter } from './average';
export { fillUniform, philoxBlock, shuffle } from './random';
export { reduceAssign, reduceSgd, reduceSgdMomentum } from './update';
