import { Worker } from 'node:worker_threads';
import { MillraceError, messageOf } from '../errors.js';
import {
  fromErrorMessage,
  transferable,
  type CallArguments,
  type CallName,
  type CallResult,
  type Reply,
  type Request,
} from './compute-protocol.js';

interface Pending {
  readonly resolve: (result: never) => void;
  readonly reject: (error: MillraceError) => void;
}

/**
 * The main thread's end of the compute thread: typed calls that are answered in the order in which they were made.
 * A thread that ends by itself rejects every call under way, and every later one, with MILLRACE_COMPUTE_FAILED.
 */
export class ComputeThread {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  #nextId = 0;
  #ended: MillraceError | undefined;

  /** @param onDeath called once if the thread ends without being asked to */
  constructor(entry: URL, onDeath: (error: MillraceError) => void) {
    this.#worker = new Worker(entry);
    this.#worker.on('message', (reply: Reply) => this.#settle(reply));
    const died = (reason: string, cause?: unknown) => {
      if (this.#ended !== undefined) return;
      const error = new MillraceError('MILLRACE_COMPUTE_FAILED', `The compute thread ended: ${reason}.`, {
        cause,
      });
      this.#end(error);
      onDeath(error);
    };
    this.#worker.on('error', (error) => died(messageOf(error), error));
    this.#worker.on('messageerror', (error) => died(`a message was lost, ${messageOf(error)}`, error));
    this.#worker.on('exit', (code) => died(`exit code ${code}`));
  }

  /** Makes a call; the buffers of its typed arrays move to the thread and are empty here afterwards. */
  call<N extends CallName>(name: N, ...args: CallArguments<N>): Promise<CallResult<N>> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const request: Request<N> = { id, name, args };
      this.#worker.postMessage(request, transferable(args));
      this.#pending.set(id, { resolve, reject });
    });
  }

  /** Waits for the calls under way, then ends the thread. Later calls are refused. */
  async close(): Promise<void> {
    const underWay = [...this.#pending.values()].length > 0 ? this.#idle() : Promise.resolve();
    this.#ended ??= new MillraceError(
      'MILLRACE_COMPUTE_FAILED',
      'The compute thread was closed before this call.',
    );
    await underWay;
    await this.#worker.terminate();
  }

  #onIdle: (() => void) | undefined;

  #idle(): Promise<void> {
    return new Promise((resolve) => (this.#onIdle = resolve));
  }

  #settle(reply: Reply): void {
    const pending = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if ('error' in reply) pending?.reject(fromErrorMessage(reply.error));
    else pending?.resolve(reply.result as never);
    if (this.#pending.size === 0) this.#onIdle?.();
  }

  #end(error: MillraceError): void {
    this.#ended = error;
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
    this.#onIdle?.();
  }
}
