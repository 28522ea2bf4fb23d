import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as core from '@tensorflow/tfjs-core';
import type { NativeTf, SavedModel } from '../backend.js';
import type { NetworkGraph, SignatureName } from './network-graph.js';
import { graphTag } from './saved-model.js';

/** A graph that TensorFlow holds with its variables. */
export class GraphSession {
  readonly #signatures: ReadonlyMap<string, SavedModel>;

  private constructor(signatures: ReadonlyMap<string, SavedModel>) {
    this.#signatures = signatures;
  }

  /** Hands a graph to TensorFlow; its variables have no values yet. Throws what TensorFlow says of a graph that it does not take. */
  static async open(
    tf: NativeTf,
    { bytes, signatures }: Pick<NetworkGraph, 'bytes' | 'signatures'>,
  ): Promise<GraphSession> {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-graph-'));
    const opened = new Map<string, SavedModel>();
    try {
      await writeFile(join(folder, 'saved_model.pb'), bytes);
      // Signatures of one folder share one session, and so its variables.
      for (const name of signatures.keys()) {
        opened.set(name, await tf.node.loadSavedModel(folder, [graphTag], name));
      }
      return new GraphSession(opened);
    } catch (error) {
      for (const signature of opened.values()) signature.dispose();
      throw error;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** Computes a signature. @returns its tensors, which are the caller's */
  run(
    name: SignatureName,
    inputs: Readonly<Record<string, core.Tensor>>,
  ): Readonly<Record<string, core.Tensor>> {
    const signature = this.#signatures.get(name);
    if (signature === undefined) throw new Error(`the graph has no signature ${name}`);
    return signature.predict(inputs) as core.NamedTensorMap;
  }

  dispose(): void {
    for (const signature of this.#signatures.values()) signature.dispose();
  }
}
