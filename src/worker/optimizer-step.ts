import { learningRateAt, type Optimizer } from '../common/optimizers/index.js';
import type { KernelPass, Kernels } from '../kernels/kernels.js';

/**
 * Applies an optimizer to one slice, by its kernel.
 *
 * @param t updates made before this one, for the learning rate and the corrections of moments
 * @param scale factor of the gradient: less than 1 where it is clipped by a norm
 */
export function optimizerStep(
  kernels: Kernels,
  optimizer: Optimizer,
  pass: KernelPass,
  t: number,
  scale: number,
): void {
  const rate = learningRateAt(optimizer, t);
  kernels.setPass(scale, optimizer.clipValue ?? Infinity, 1 - rate * (optimizer.weightDecay ?? 0));
  switch (optimizer.kind) {
    case 'sgd': {
      const { momentum, nesterov } = optimizer;
      if (momentum === 0) kernels.reduceSgd(...pass, -rate);
      else if (optimizer.velocity === 'step') kernels.reduceSgdMomentum(...pass, -rate, 1, momentum, nesterov);
      else kernels.reduceSgdMomentum(...pass, 1, -rate, momentum, nesterov);
      break;
    }
    case 'adagrad':
      kernels.reduceAdagrad(...pass, rate, optimizer.epsilon);
      break;
    case 'adadelta':
      kernels.reduceAdadelta(...pass, rate, optimizer.rho, optimizer.epsilon, optimizer.lagging);
      break;
    case 'adam':
      adamStep(kernels, optimizer, pass, rate, t);
      break;
    case 'adamax': {
      const { beta1, beta2, epsilon } = optimizer;
      kernels.reduceAdamax(...pass, rate / (1 - beta1 ** (t + 1)), beta1, beta2, epsilon);
      break;
    }
    case 'rmsprop':
      kernels.reduceRmsprop(...pass, rate, optimizer.rho, optimizer.momentum, optimizer.epsilon, optimizer.centered);
  }
}

type Kind<K extends Optimizer['kind']> = Extract<Optimizer, { kind: K }>;

function adamStep(kernels: Kernels, optimizer: Kind<'adam'>, pass: KernelPass, rate: number, t: number): void {
  const { beta1, beta2, epsilon, epsilonHat } = optimizer;
  const correction1 = 1 / (1 - beta1 ** (t + 1));
  const correction2 = 1 / (1 - beta2 ** (t + 1));
  if (epsilonHat) kernels.reduceAdam(...pass, rate, beta1, beta2, epsilon, correction1 / Math.sqrt(correction2), 1);
  else kernels.reduceAdam(...pass, rate, beta1, beta2, epsilon, correction1, correction2);
}
