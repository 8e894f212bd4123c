export { averageReplicas, averageReplicasOuter } from './average';
export { copyRuns, gatherRows } from './gather';
export { reduceSquares } from './norm';
export { fillUniform, philoxBlock, shuffle } from './random';
export {
  reduceAdadelta,
  reduceAdagrad,
  reduceAdam,
  reduceAdamax,
  reduceAssign,
  reduceRmsprop,
  reduceSgd,
  reduceSgdMomentum,
  setPass,
} from './update';
export { runTape } from './tape';
