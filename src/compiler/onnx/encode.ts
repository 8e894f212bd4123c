/** Writes a graph as the bytes of an ONNX model. */
import type { IrType, Value } from '../graph/value.js';
import { topologicalOrder } from '../graph/value.js';
import { ATTRIBUTE_TYPE, DATA_TYPE, Model } from './schema.js';

const OPSET = 21;
const IR_VERSION = 10;

/** Attributes that ONNX takes as further inputs, in order; kept as attributes in the graph because they never vary. */
const ATTRS_AS_INPUTS: Record<string, readonly string[]> = {
  Expand: ['shape'],
  Pad: ['pads'],
  ReduceMax: ['axes'],
  ReduceMin: ['axes'],
  ReduceProd: ['axes'],
  ReduceSum: ['axes'],
  Reshape: ['shape'],
  Slice: ['starts', 'ends', 'axes', 'steps'],
  Split: ['split'],
  Tile: ['repeats'],
};
/** Elements of a uniform constant that are written out. */
const LARGEST_SPLAT = 1024;

const FLOAT_ATTRS = new Set(['alpha', 'beta', 'gamma', 'epsilon']);
const CONTRIB_OPS = new Set(['FusedMatMul']);
/** Operators of ONNX Runtime on blocks of channels, by their names in the graph, where they are told from ONNX' own. */
const BLOCKED_OPS: Record<string, string> = {
  BlockedConv: 'Conv',
  BlockChannels: 'ReorderInput',
  UnblockChannels: 'ReorderOutput',
};

export interface NamedValue {
  name: string;
  value: Value;
}

/**
 * The model whose inputs and outputs have the given names. `inputs` may be any values, which are then not computed, but only
 * such as `outputs` need.
 *
 * @param rowAxisOf the axis of an input or output that may have any size, if it has one
 */
export function encodeModel(
  inputs: readonly NamedValue[],
  outputs: readonly NamedValue[],
  rowAxisOf?: (value: Value) => number | undefined,
): Uint8Array {
  const encoder = new Encoder(inputs, outputs, rowAxisOf);
  return Model.encode(
    Model.fromObject({
      irVersion: IR_VERSION,
      producerName: 'shardfit',
      opsetImport: [
        { domain: '', version: OPSET },
        { domain: 'com.microsoft', version: 1 },
        { domain: 'com.microsoft.nchwc', version: 1 },
      ],
      graph: encoder.graph(),
    }),
  ).finish();
}

class Encoder {
  readonly #names = new Map<Value, string>();
  readonly #nodes: object[] = [];
  readonly #initializers = new Map<string, object>();
  readonly #given: ReadonlySet<Value>;

  constructor(
    readonly inputs: readonly NamedValue[],
    readonly outputs: readonly NamedValue[],
    readonly rowAxisOf: (value: Value) => number | undefined = () => undefined,
  ) {
    for (const { name, value } of inputs) this.#names.set(value, name);
    this.#given = new Set(this.#names.keys());
    for (const { name, value } of outputs) {
      if (!this.#names.has(value) && value.op !== 'Constant') this.#names.set(value, name);
    }
  }

  graph(): object {
    const isGiven = (value: Value): boolean => this.#given.has(value);
    const all = topologicalOrder(
      this.outputs.map((output) => output.value),
      isGiven,
    );
    const order = all.filter((value) => !isGiven(value));
    const further = furtherOutputs(order);
    for (const value of order) this.#emit(value, further.get(value) ?? []);
    // Identity nodes let one value be several outputs, and inputs or constants be outputs.
    for (const { name, value } of this.outputs) {
      if (this.#name(value) !== name) this.#pushNode('Identity', [this.#name(value)], [name], []);
    }
    return {
      name: 'step',
      node: this.#nodes,
      initializer: [...this.#initializers.values()],
      input: this.inputs.map(({ name, value }) => valueInfo(name, value, this.rowAxisOf(value))),
      output: this.outputs.map(({ name, value }) => valueInfo(name, value, this.rowAxisOf(value))),
    };
  }

  #name(value: Value): string {
    const known = this.#names.get(value);
    if (known) return known;
    const name = value.op.startsWith('#') ? `v${(value.inputs[0] as Value).id}_${value.op.slice(1)}` : `v${value.id}`;
    this.#names.set(value, name);
    return name;
  }

  #emit(value: Value, further: readonly Value[]): void {
    if (value.op === 'Input' || value.op.startsWith('#')) return;
    if (value.op === 'Constant') {
      this.#addConstant(value);
      return;
    }
    const extra = (ATTRS_AS_INPUTS[value.op] ?? []).map((attr) => this.#int64(value.attrs[attr] as number[]));
    const [first, ...rest] = value.inputs.map((input) => this.#name(input));
    // Pad's fill value comes after its pads, all other operators' extra inputs come last.
    const inputs = value.op === 'Pad' ? [first, ...extra, ...rest] : [first, ...rest, ...extra];
    const outputs = [this.#name(value)];
    for (const output of further) outputs[Number(output.op.slice(1))] = this.#name(output);
    // Pieces that nobody uses need names too.
    const pieces = value.op === 'Split' ? (value.attrs.split as number[]).length : value.op === 'TopK' ? 2 : 0;
    for (let k = 1; k < pieces; k++) outputs[k] ??= `v${value.id}_${k}`;
    this.#pushNode(
      value.op,
      inputs as string[],
      Array.from(outputs, (name) => name ?? ''),
      attributes(value),
    );
  }

  #pushNode(opType: string, input: string[], output: string[], attribute: object[]): void {
    const name = `${opType}_${this.#nodes.length}`;
    const blocked = BLOCKED_OPS[opType];
    const domain = blocked ? 'com.microsoft.nchwc' : CONTRIB_OPS.has(opType) ? 'com.microsoft' : '';
    this.#nodes.push({ opType: blocked ?? opType, name, input, output, attribute, domain });
  }

  #addConstant(value: Value): void {
    const name = this.#name(value);
    const size = value.shape.reduce((n, d) => n * d, 1);
    if (value.splat !== undefined && size > LARGEST_SPLAT) {
      // One number and a shape in place of megabytes of zeros.
      const one = `${name}_one`;
      this.#initializers.set(one, tensor(one, [], value.dtype, filled(value.dtype, 1, value.splat)));
      this.#pushNode('Expand', [one, this.#int64(value.shape)], [name], []);
      return;
    }
    const data = value.data ?? filled(value.dtype, size, value.splat as number);
    this.#initializers.set(name, tensor(name, value.shape, value.dtype, data));
  }

  #int64(numbers: readonly number[]): string {
    const name = `i64_${numbers.join('_').replaceAll('-', 'm')}`;
    if (!this.#initializers.has(name)) {
      const data = BigInt64Array.from(numbers, BigInt);
      this.#initializers.set(name, tensor(name, [numbers.length], 'int64', data));
    }
    return name;
  }
}

/** The '#1', '#2', ... values of each node that has several outputs. */
function furtherOutputs(order: readonly Value[]): Map<Value, Value[]> {
  const result = new Map<Value, Value[]>();
  for (const value of order) {
    if (!value.op.startsWith('#')) continue;
    const node = value.inputs[0] as Value;
    result.set(node, [...(result.get(node) ?? []), value]);
  }
  return result;
}

function attributes(value: Value): object[] {
  const moved = ATTRS_AS_INPUTS[value.op] ?? [];
  return Object.entries(value.attrs)
    .filter(([name]) => !moved.includes(name))
    .map(([name, attr]) => {
      if (name === 'to') return { name, i: DATA_TYPE[attr as IrType], type: ATTRIBUTE_TYPE.int };
      if (typeof attr === 'string') return { name, s: new TextEncoder().encode(attr), type: ATTRIBUTE_TYPE.string };
      if (typeof attr !== 'number') return { name, ints: [...attr], type: ATTRIBUTE_TYPE.ints };
      if (FLOAT_ATTRS.has(name)) return { name, f: attr, type: ATTRIBUTE_TYPE.float };
      return { name, i: attr, type: ATTRIBUTE_TYPE.int };
    });
}

function filled(dtype: IrType, size: number, x: number): ArrayBufferView {
  if (dtype === 'float32') return new Float32Array(size).fill(x);
  if (dtype === 'int32') return new Int32Array(size).fill(x);
  return dtype === 'bool' ? new Uint8Array(size).fill(x) : new BigInt64Array(size).fill(BigInt(x));
}

function tensor(name: string, dims: readonly number[], dtype: IrType, data: ArrayBufferView): object {
  const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { name, dims: [...dims], dataType: DATA_TYPE[dtype], rawData };
}

function valueInfo(name: string, value: Value, rowAxis: number | undefined): object {
  const shape = { dim: value.shape.map((dimValue, axis) => (axis === rowAxis ? { dimParam: 'batch' } : { dimValue })) };
  return { name, type: { tensorType: { elemType: DATA_TYPE[value.dtype], shape } } };
}
