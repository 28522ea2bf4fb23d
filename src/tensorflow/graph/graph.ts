import type { Attribute, ConstantTensor, DataType, NodeDefinition, TensorReference } from './saved-model.js';

/** What is known of a tensor before anything runs. -1 is a size that is open: that of the batch. */
export interface TensorType {
  readonly dtype: DataType;
  readonly shape: readonly number[];
}

/** One result of an operation. */
export class GraphTensor implements TensorType {
  readonly node: GraphNode;
  readonly index: number;
  readonly dtype: DataType;
  readonly shape: readonly number[];

  constructor(node: GraphNode, index: number, { dtype, shape }: TensorType) {
    this.node = node;
    this.index = index;
    this.dtype = dtype;
    this.shape = shape;
  }

  get graph(): Graph {
    return this.node.graph;
  }

  get reference(): TensorReference {
    return { name: `${this.node.name}:${this.index}`, dtype: this.dtype, shape: this.shape };
  }
}

/** An operation of a graph. */
export class GraphNode {
  readonly graph: Graph;
  readonly name: string;
  readonly op: string;
  readonly inputs: GraphTensor[];
  readonly attributes: Readonly<Record<string, Attribute>>;
  /** What must be done before, whatever it gives. */
  readonly controls: readonly GraphNode[];
  readonly outputs: readonly GraphTensor[];
  /** The loop that it is run in; undefined outside. */
  readonly loop: Loop | undefined;

  constructor(graph: Graph, name: string, definition: Definition, loop: Loop | undefined) {
    this.graph = graph;
    this.name = name;
    this.op = definition.op;
    this.inputs = [...definition.inputs];
    this.attributes = definition.attributes;
    this.controls = definition.controls ?? [];
    this.loop = loop;
    this.outputs = definition.results.map((type, index) => new GraphTensor(this, index, type));
  }
}

interface Definition {
  readonly op: string;
  readonly inputs: readonly GraphTensor[];
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly results: readonly TensorType[];
  readonly controls?: readonly GraphNode[];
}

interface Loop {
  readonly name: string;
  /** Tensors from outside, as the loop sees them. */
  readonly entered: Map<GraphTensor, GraphTensor>;
}

const scalar: readonly number[] = [];
const int32Scalar: TensorType = { dtype: 'int32', shape: scalar };

/** A graph of TensorFlow that is being built: operations, and loops over them. */
export class Graph {
  readonly #nodes: GraphNode[] = [];
  readonly #scalars = new Map<string, GraphTensor>();
  #loop: Loop | undefined;
  #numLoops = 0;

  /**
   * Adds an operation. What has neither inputs nor controls is run outside of every loop, once; tensors from outside
   * are brought into the loop that is being built.
   */
  add(definition: Definition): GraphNode {
    const isFree = definition.inputs.length === 0 && (definition.controls ?? []).length === 0;
    const loop = isFree ? undefined : this.#loop;
    const inputs =
      loop === undefined ? definition.inputs : definition.inputs.map((each) => this.#enter(each, loop));
    return this.#push({ ...definition, inputs }, loop);
  }

  /** An operation with one result. */
  addOne(
    op: string,
    inputs: readonly GraphTensor[],
    attributes: Definition['attributes'],
    result: TensorType,
    controls: readonly GraphNode[] = [],
  ): GraphTensor {
    return this.add({ op, inputs, attributes, results: [result], controls }).outputs[0];
  }

  /** A tensor that is given with each run. */
  placeholder(type: TensorType): GraphTensor {
    const attributes = { dtype: { type: type.dtype }, shape: { shape: type.shape } };
    return this.addOne('Placeholder', [], attributes, type);
  }

  constant(tensor: ConstantTensor): GraphTensor {
    return this.addOne('Const', [], { dtype: { type: tensor.dtype }, value: { tensor } }, tensor);
  }

  /** A number as a constant; the same number is the same constant. */
  number(value: number, dtype: ConstantTensor['dtype'] = 'float32'): GraphTensor {
    const key = `${dtype} ${Object.is(value, -0) ? '-0' : value}`;
    let known = this.#scalars.get(key);
    if (known === undefined) {
      const values = dtype === 'int32' ? Int32Array.of(value) : Float32Array.of(value);
      this.#scalars.set(key, (known = this.constant({ dtype, shape: scalar, values })));
    }
    return known;
  }

  /** Whole numbers as a constant: axes, shapes, paddings. */
  integers(values: readonly number[]): GraphTensor {
    return this.constant({ dtype: 'int32', shape: [values.length], values: Int32Array.from(values) });
  }

  /** A float32 tensor that lasts from run to run; it has no value until one is assigned. @returns its handle */
  variable(shape: readonly number[]): GraphTensor {
    const name = `variable_${this.#nodes.length}`;
    const attributes = {
      dtype: { type: 'float32' },
      shape: { shape },
      shared_name: { text: name },
      container: { text: '' },
    } as const;
    return this.addOne('VarHandleOp', [], attributes, { dtype: 'resource', shape });
  }

  /**
   * Runs `body` for 0 to `times` - 1, one after the other, and gives what each returned, stacked.
   *
   * @param times int32, a scalar
   * @param types of the tensors that `body` returns
   */
  repeat(
    times: GraphTensor,
    types: readonly TensorType[],
    body: (index: GraphTensor) => readonly GraphTensor[],
  ): GraphTensor[] {
    const loop: Loop = { name: `loop_${this.#numLoops++}`, entered: new Map() };
    const shapes = types.map(({ shape }) => this.integers(shape));
    const lists = types.map(({ dtype }, i) => {
      const attributes = { element_dtype: { type: dtype }, shape_type: { type: 'int32' } } as const;
      return this.addOne('TensorListReserve', [shapes[i], times], attributes, {
        dtype: 'variant',
        shape: scalar,
      });
    });
    const starts = [this.number(0, 'int32'), ...lists];
    const merges = starts.map((start) => {
      const entered = this.#pushEnter(start, loop, false);
      const attributes = { T: { type: start.dtype }, N: { int: 2 } } as const;
      return this.#push({ op: 'Merge', inputs: [entered], attributes, results: [start, int32Scalar] }, loop);
    });

    this.#loop = loop;
    const isBelow = this.addOne('Less', [merges[0].outputs[0], times], { T: { type: 'int32' } }, boolScalar);
    const condition = this.addOne('LoopCond', [isBelow], {}, boolScalar);
    const switches = merges.map(({ outputs: [merged] }) =>
      this.add({
        op: 'Switch',
        inputs: [merged, condition],
        attributes: { T: { type: merged.dtype } },
        results: [merged, merged],
      }),
    );
    const [index, ...insides] = switches.map(({ outputs: [, inside] }) =>
      this.addOne('Identity', [inside], { T: { type: inside.dtype } }, inside),
    );
    const results = body(index);
    const next = this.addOne(
      'AddV2',
      [index, this.number(1, 'int32')],
      { T: { type: 'int32' } },
      int32Scalar,
    );
    const filled = insides.map((list, i) =>
      this.addOne(
        'TensorListSetItem',
        [list, index, results[i]],
        { element_dtype: { type: types[i].dtype } },
        list,
      ),
    );
    for (const [i, value] of [next, ...filled].entries()) {
      const again = this.addOne('NextIteration', [value], { T: { type: value.dtype } }, value);
      merges[i].inputs.push(again);
    }
    const exits = switches
      .slice(1)
      .map(({ outputs: [outside] }) => this.#push(exitOf(outside), undefined).outputs[0]);
    this.#loop = undefined;

    return exits.map((list, i) =>
      this.addOne(
        'TensorListStack',
        [list, shapes[i]],
        { element_dtype: { type: types[i].dtype }, num_elements: { int: -1 } },
        { dtype: types[i].dtype, shape: [-1, ...types[i].shape] },
      ),
    );
  }

  definitions(): NodeDefinition[] {
    return this.#nodes.map(({ name, op, inputs, attributes, controls }) => ({
      name,
      op,
      inputs: [...inputs.map((input) => input.reference.name), ...controls.map((node) => `^${node.name}`)],
      attributes,
    }));
  }

  #enter(tensor: GraphTensor, loop: Loop): GraphTensor {
    if (tensor.node.loop === loop) return tensor;
    let entered = loop.entered.get(tensor);
    if (entered === undefined) loop.entered.set(tensor, (entered = this.#pushEnter(tensor, loop, true)));
    return entered;
  }

  #pushEnter(tensor: GraphTensor, loop: Loop, isConstant: boolean): GraphTensor {
    const attributes = {
      T: { type: tensor.dtype },
      frame_name: { text: loop.name },
      is_constant: { bool: isConstant },
      parallel_iterations: { int: 1 },
    } as const;
    return this.#push({ op: 'Enter', inputs: [tensor], attributes, results: [tensor] }, loop).outputs[0];
  }

  #push(definition: Definition, loop: Loop | undefined): GraphNode {
    const node = new GraphNode(this, `${definition.op}_${this.#nodes.length}`, definition, loop);
    this.#nodes.push(node);
    return node;
  }
}

const boolScalar: TensorType = { dtype: 'bool', shape: scalar };

function exitOf(tensor: GraphTensor): Definition {
  return { op: 'Exit', inputs: [tensor], attributes: { T: { type: tensor.dtype } }, results: [tensor] };
}
