/** A message of protobuf, as its generated code writes it. */
interface Message {
  serializeBinary(): Uint8Array;
}
interface MessageMap<T> {
  set(key: string, value: T): unknown;
}
interface Dimension extends Message {
  setSize(size: number): void;
}
interface Shape extends Message {
  addDim(dimension: Dimension): void;
}
interface Attribute extends Message {
  setType(type: number): void;
  setShape(shape: Shape): void;
}
interface Node extends Message {
  setName(name: string): void;
  setOp(op: string): void;
  addInput(input: string): void;
  getAttrMap(): MessageMap<Attribute>;
}
interface Graph extends Message {
  setVersions(version: Version): void;
  addNode(node: Node): void;
}
interface Version extends Message {
  setProducer(version: number): void;
}
interface Signature extends Message {
  getInputsMap(): MessageMap<TensorInfo>;
  getOutputsMap(): MessageMap<TensorInfo>;
  setMethodName(name: string): void;
}
interface TensorInfo extends Message {
  setName(name: string): void;
  setDtype(type: number): void;
  setTensorShape(shape: Shape): void;
}
interface MetaInfo extends Message {
  addTags(tag: string): void;
}
interface MetaGraph extends Message {
  setMetaInfoDef(info: MetaInfo): void;
  setGraphDef(graph: Graph): void;
  getSignatureDefMap(): MessageMap<Signature>;
}
interface SavedModelMessage extends Message {
  setSavedModelSchemaVersion(version: number): void;
  addMetaGraphs(graph: MetaGraph): void;
}

/** What is used of `dist/proto/api_pb.js` of tfjs-node 4.22: the messages that a SavedModel consists of. */
export interface GraphMessages {
  readonly SavedModel: new () => SavedModelMessage;
  readonly MetaGraphDef: (new () => MetaGraph) & { readonly MetaInfoDef: new () => MetaInfo };
  readonly GraphDef: new () => Graph;
  readonly VersionDef: new () => Version;
  readonly NodeDef: new () => Node;
  readonly AttrValue: new () => Attribute;
  readonly TensorShape: (new () => Shape) & { readonly Dim: new () => Dimension };
  readonly SignatureDef: new () => Signature;
  readonly TensorInfo: new () => TensorInfo;
}

/** `DT_FLOAT` of TensorFlow. */
const float32 = 1;
/** Of TensorFlow 2.12; what a graph of an older version may do is read by every later one. */
const graphVersion = 1286;

/** The tag and the signature of what a GraphWriter writes. */
export const graphTag = 'serve';
export const graphSignature = 'predict';

/** Writes a graph of operations on float32 tensors, as a SavedModel without variables. */
export class GraphWriter {
  readonly #messages: GraphMessages;
  readonly #model: SavedModelMessage;
  readonly #graph: Graph;
  readonly #signature: Signature;

  constructor(messages: GraphMessages) {
    this.#messages = messages;
    this.#model = new messages.SavedModel();
    this.#model.setSavedModelSchemaVersion(1);
    this.#graph = new messages.GraphDef();
    const version = new messages.VersionDef();
    version.setProducer(graphVersion);
    this.#graph.setVersions(version);
    this.#signature = new messages.SignatureDef();
    this.#signature.setMethodName('tensorflow/serving/predict');
    const info = new messages.MetaGraphDef.MetaInfoDef();
    info.addTags(graphTag);
    const metaGraph = new messages.MetaGraphDef();
    metaGraph.setMetaInfoDef(info);
    metaGraph.setGraphDef(this.#graph);
    metaGraph.getSignatureDefMap().set(graphSignature, this.#signature);
    this.#model.addMetaGraphs(metaGraph);
  }

  /** A tensor that is given with each run, under its name. @param shape -1 where it is open */
  input(name: string, shape: readonly number[]): string {
    this.#add(name, 'Placeholder', [], { dtype: this.#type(), shape: this.#shapeAttribute(shape) });
    this.#signature.getInputsMap().set(name, this.#tensorInfo(name, shape));
    return name;
  }

  /** An operation with one result. @returns its name, by which it is the input of others */
  operation(name: string, op: string, inputs: readonly string[]): string {
    this.#add(name, op, inputs, { T: this.#type() });
    return name;
  }

  /** What a run gives, under the name of the operation. */
  output(name: string, shape: readonly number[]): void {
    this.#signature.getOutputsMap().set(name, this.#tensorInfo(name, shape));
  }

  /** The bytes of `saved_model.pb`. */
  bytes(): Uint8Array {
    return this.#model.serializeBinary();
  }

  #add(
    name: string,
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>>,
  ): void {
    const node = new this.#messages.NodeDef();
    node.setName(name);
    node.setOp(op);
    for (const input of inputs) node.addInput(input);
    const map = node.getAttrMap();
    for (const [key, attribute] of Object.entries(attributes)) map.set(key, attribute);
    this.#graph.addNode(node);
  }

  #type(): Attribute {
    const attribute = new this.#messages.AttrValue();
    attribute.setType(float32);
    return attribute;
  }

  #shapeAttribute(dimensions: readonly number[]): Attribute {
    const attribute = new this.#messages.AttrValue();
    attribute.setShape(this.#shape(dimensions));
    return attribute;
  }

  #shape(dimensions: readonly number[]): Shape {
    const shape = new this.#messages.TensorShape();
    for (const size of dimensions) {
      const dimension = new this.#messages.TensorShape.Dim();
      dimension.setSize(size);
      shape.addDim(dimension);
    }
    return shape;
  }

  #tensorInfo(name: string, shape: readonly number[]): TensorInfo {
    const info = new this.#messages.TensorInfo();
    info.setName(`${name}:0`);
    info.setDtype(float32);
    info.setTensorShape(this.#shape(shape));
    return info;
  }
}
