/** The element types that the graphs here use, by their numbers in TensorFlow. */
const dataTypes = {
  float32: 1,
  int32: 3,
  int64: 9,
  float64: 2,
  bool: 10,
  resource: 20,
  variant: 21,
} as const;
export type DataType = keyof typeof dataTypes;

/** What an operation is told beside its inputs. */
export type Attribute =
  | { readonly type: DataType }
  | { readonly types: readonly DataType[] }
  | { readonly shape: readonly number[] }
  | { readonly int: number }
  | { readonly ints: readonly number[] }
  | { readonly float: number }
  | { readonly bool: boolean }
  | { readonly text: string }
  | { readonly tensor: ConstantTensor };

export interface ConstantTensor {
  readonly dtype: 'float32' | 'int32';
  readonly shape: readonly number[];
  readonly values: Float32Array | Int32Array;
}

/** One operation of a graph. */
export interface NodeDefinition {
  readonly name: string;
  readonly op: string;
  /** `node:index` of a result of another operation, or `^node` to come after it. */
  readonly inputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** A tensor that goes into or comes out of a run, -1 where its shape is open. */
export interface TensorReference {
  readonly name: string;
  readonly dtype: DataType;
  readonly shape: readonly number[];
}

/** What one call computes: names of its own for tensors of the graph. */
export interface Signature {
  readonly inputs: Readonly<Record<string, TensorReference>>;
  readonly outputs: Readonly<Record<string, TensorReference>>;
}

/** The tag under which a graph is loaded. */
export const graphTag = 'serve';
/** Of TensorFlow 2.12; what a graph of an older version may do is read by every later one. */
const graphVersion = 1286;

/** The bytes of `saved_model.pb` for a graph whose variables have no values yet. */
export function savedModelBytes(
  messages: GraphMessages,
  nodes: readonly NodeDefinition[],
  signatures: ReadonlyMap<string, Signature>,
): Uint8Array {
  const graph = new messages.GraphDef();
  const version = new messages.VersionDef();
  version.setProducer(graphVersion);
  graph.setVersions(version);
  for (const node of nodes) graph.addNode(nodeMessage(messages, node));
  const info = new messages.MetaGraphDef.MetaInfoDef();
  info.addTags(graphTag);
  const metaGraph = new messages.MetaGraphDef();
  metaGraph.setMetaInfoDef(info);
  metaGraph.setGraphDef(graph);
  for (const [name, signature] of signatures) {
    metaGraph.getSignatureDefMap().set(name, signatureMessage(messages, signature));
  }
  const model = new messages.SavedModel();
  model.setSavedModelSchemaVersion(1);
  model.addMetaGraphs(metaGraph);
  return model.serializeBinary();
}

function nodeMessage(messages: GraphMessages, { name, op, inputs, attributes }: NodeDefinition): Node {
  const node = new messages.NodeDef();
  node.setName(name);
  node.setOp(op);
  for (const input of inputs) node.addInput(input);
  const map = node.getAttrMap();
  for (const [key, attribute] of Object.entries(attributes)) {
    map.set(key, attributeMessage(messages, attribute));
  }
  return node;
}

function attributeMessage(messages: GraphMessages, attribute: Attribute): AttributeMessage {
  const message = new messages.AttrValue();
  if ('type' in attribute) message.setType(dataTypes[attribute.type]);
  else if ('shape' in attribute) message.setShape(shapeMessage(messages, attribute.shape));
  else if ('int' in attribute) message.setI(attribute.int);
  else if ('float' in attribute) message.setF(attribute.float);
  else if ('bool' in attribute) message.setB(attribute.bool);
  else if ('text' in attribute) message.setS(Buffer.from(attribute.text));
  else if ('tensor' in attribute) message.setTensor(tensorMessage(messages, attribute.tensor));
  else {
    const list = new messages.AttrValue.ListValue();
    if ('ints' in attribute) list.setIList([...attribute.ints]);
    else list.setTypeList(attribute.types.map((type) => dataTypes[type]));
    message.setList(list);
  }
  return message;
}

function tensorMessage(messages: GraphMessages, { dtype, shape, values }: ConstantTensor): TensorMessage {
  const tensor = new messages.Tensor();
  tensor.setDtype(dataTypes[dtype]);
  tensor.setTensorShape(shapeMessage(messages, shape));
  tensor.setTensorContent(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  return tensor;
}

function shapeMessage(messages: GraphMessages, sizes: readonly number[]): ShapeMessage {
  const shape = new messages.TensorShape();
  for (const size of sizes) {
    const dimension = new messages.TensorShape.Dim();
    dimension.setSize(size);
    shape.addDim(dimension);
  }
  return shape;
}

function signatureMessage(messages: GraphMessages, { inputs, outputs }: Signature): SignatureMessage {
  const signature = new messages.SignatureDef();
  const fill = (map: MessageMap<TensorInfo>, tensors: Signature['inputs']) => {
    for (const [key, { name, dtype, shape }] of Object.entries(tensors)) {
      const info = new messages.TensorInfo();
      info.setName(name);
      info.setDtype(dataTypes[dtype]);
      info.setTensorShape(shapeMessage(messages, shape));
      map.set(key, info);
    }
  };
  fill(signature.getInputsMap(), inputs);
  fill(signature.getOutputsMap(), outputs);
  signature.setMethodName('tensorflow/serving/predict');
  return signature;
}

/** What is used of `dist/proto/api_pb.js` of tfjs-node 4.22: the messages that a SavedModel consists of. */
export interface GraphMessages {
  readonly SavedModel: new () => SavedModelMessage;
  readonly MetaGraphDef: (new () => MetaGraph) & { readonly MetaInfoDef: new () => MetaInfo };
  readonly GraphDef: new () => GraphMessage;
  readonly VersionDef: new () => Version;
  readonly NodeDef: new () => Node;
  readonly AttrValue: (new () => AttributeMessage) & { readonly ListValue: new () => ListMessage };
  readonly Tensor: new () => TensorMessage;
  readonly TensorShape: (new () => ShapeMessage) & { readonly Dim: new () => Dimension };
  readonly SignatureDef: new () => SignatureMessage;
  readonly TensorInfo: new () => TensorInfo;
}

interface MessageMap<T> {
  set(key: string, value: T): unknown;
}
interface Dimension {
  setSize(size: number): void;
}
interface ShapeMessage {
  addDim(dimension: Dimension): void;
}
interface TensorMessage {
  setDtype(type: number): void;
  setTensorShape(shape: ShapeMessage): void;
  setTensorContent(bytes: Uint8Array): void;
}
interface ListMessage {
  setIList(values: number[]): void;
  setTypeList(types: number[]): void;
}
interface AttributeMessage {
  setType(type: number): void;
  setShape(shape: ShapeMessage): void;
  setI(value: number): void;
  setF(value: number): void;
  setB(value: boolean): void;
  setS(value: Uint8Array): void;
  setTensor(tensor: TensorMessage): void;
  setList(list: ListMessage): void;
}
interface Node {
  setName(name: string): void;
  setOp(op: string): void;
  addInput(input: string): void;
  getAttrMap(): MessageMap<AttributeMessage>;
}
interface GraphMessage {
  setVersions(version: Version): void;
  addNode(node: Node): void;
}
interface Version {
  setProducer(version: number): void;
}
interface TensorInfo {
  setName(name: string): void;
  setDtype(type: number): void;
  setTensorShape(shape: ShapeMessage): void;
}
interface SignatureMessage {
  getInputsMap(): MessageMap<TensorInfo>;
  getOutputsMap(): MessageMap<TensorInfo>;
  setMethodName(name: string): void;
}
interface MetaInfo {
  addTags(tag: string): void;
}
interface MetaGraph {
  setMetaInfoDef(info: MetaInfo): void;
  setGraphDef(graph: GraphMessage): void;
  getSignatureDefMap(): MessageMap<SignatureMessage>;
}
interface SavedModelMessage {
  setSavedModelSchemaVersion(version: number): void;
  addMetaGraphs(graph: MetaGraph): void;
  serializeBinary(): Uint8Array;
}
