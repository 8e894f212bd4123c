/**
 * One step traced for two numbers of rows, node by node side by side. What differs between the two depends on the rows: it
 * shows which axis of each value counts them.
 */
import type { AttrValue, Value } from '../graph/value.js';

/** A node of the trace at the rows of the mini-batch, with what the other trace says about it. */
export interface Pair {
  readonly value: Value;
  readonly inputs: readonly Pair[];
  /** The axis whose size is a multiple of the rows; undefined if no axis depends on them. */
  readonly rowAxis: number | undefined;
}

/** Thrown for a step whose mini-batch cannot be cut into shards with the result staying the same. */
export class NotPartitionable extends Error {
  override name = 'NotPartitionable';

  constructor(what: string, value?: Value) {
    super(`${value?.layer ? `layer '${value.layer}'` : 'the loss, a metric or a regularizer'} ${what}`);
  }
}

/** Attributes that follow from the shapes of a node, or scale with an axis of its input. */
const SCALING: Readonly<Record<string, readonly string[]>> = {
  Reshape: ['shape'],
  Expand: ['shape'],
  Slice: ['starts', 'ends'],
};

interface Both {
  a: Value;
  b: Value;
}

export interface PairedStep {
  outputs: Pair[];
  /** All pairs, inputs before users. */
  order: Pair[];
}

/**
 * Pairs the nodes below `whole`, traced with `rows` rows, with those below `other`, traced with `otherRows`. A node may have
 * several partners: what happens to be equal at one number of rows is one node there.
 *
 * @throws NotPartitionable if the two are different programs.
 */
export function pairUp(whole: readonly Value[], rows: number, other: readonly Value[], otherRows: number): PairedStep {
  const done = new Map<string, Pair>();
  const keyOf = ({ a, b }: Both): string => `${a.id},${b.id}`;
  const roots = whole.map((a, i) => ({ a, b: other[i] as Value }));
  // An explicit stack: recurrent networks unroll into graphs deeper than the call stack.
  const stack = roots.map((both) => ({ both, entered: false })).reverse();
  for (let top = stack.pop(); top; top = stack.pop()) {
    const { both, entered } = top;
    if (done.has(keyOf(both))) continue;
    const inputs = both.a.inputs.map((a, i) => ({ a, b: both.b.inputs[i] as Value }));
    if (entered) {
      const pairs = inputs.map((input) => done.get(keyOf(input)) as Pair);
      done.set(keyOf(both), { value: both.a, inputs: pairs, rowAxis: rowAxisOf(both, rows, otherRows) });
      continue;
    }
    checkAlike(both);
    stack.push({ both, entered: true }, ...inputs.map((input) => ({ both: input, entered: false })).reverse());
  }
  return { outputs: roots.map((both) => done.get(keyOf(both)) as Pair), order: [...done.values()] };
}

function checkAlike({ a, b }: Both): void {
  const alike = a.op === b.op && a.dtype === b.dtype && a.inputs.length === b.inputs.length;
  if (!alike || a.shape.length !== b.shape.length) {
    throw new NotPartitionable(
      `computes ${a.op} [${a.shape}] for one number of rows and ${b.op} [${b.shape}] for another`,
      a,
    );
  }
  for (const [name, attr] of Object.entries(a.attrs)) {
    if (!sameAttr(attr, b.attrs[name]) && !SCALING[a.op]?.includes(name)) {
      throw new NotPartitionable(`has '${name}' of ${a.op} depend on the number of rows`, a);
    }
  }
}

function sameAttr(a: AttrValue, b: AttrValue | undefined): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

function rowAxisOf({ a, b }: Both, rows: number, otherRows: number): number | undefined {
  const axes = [...a.shape.keys()].filter((axis) => a.shape[axis] !== b.shape[axis]);
  if (axes.length > 1) throw new NotPartitionable(`relates every row to every other (${a.op})`, a);
  const [axis] = axes;
  if (axis === undefined) return undefined;
  const [m, n] = [a.shape[axis] as number, b.shape[axis] as number];
  if (m % rows !== 0 || m * otherRows !== n * rows) {
    throw new NotPartitionable(`makes a tensor of ${m} elements from ${rows} rows and ${n} from ${otherRows}`, a);
  }
  return axis;
}
