import type { InputRole, OutputRole } from '../common/program.js';
import type { Value } from './graph/value.js';

/** A step with symbolic nodes written out: what its inputs mean, by their names, and its outputs. */
export interface Lowered {
  roles: Map<string, InputRole>;
  outputs: { role: OutputRole; value: Value }[];
}
