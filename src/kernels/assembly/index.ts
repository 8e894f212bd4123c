export { reduceAssign, reduceSgd, reduceSgdMomentum } from './update';
export { fillUniform, philoxBlock, shuffle } from './random';
