import { setTimeout as delay } from 'node:timers/promises';
import type { Transferable } from 'node:worker_threads';
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

/** Longer than any JavaScript needs to be interrupted. */
const abandonTimeoutMs = 5_000;

/** What answers calls: a worker thread, or a process. */
export interface ComputePort {
  on(event: 'message', listener: (reply: Reply) => void): unknown;
  on(event: 'error' | 'messageerror', listener: (error: Error) => void): unknown;
  on(event: 'exit', listener: (code: number | string) => void): unknown;
  /** @param transfer buffers that may be moved instead of copied */
  postMessage(message: unknown, transfer: readonly Transferable[]): void;
  terminate(): Promise<unknown>;
}

interface Pending {
  readonly resolve: (result: never) => void;
  readonly reject: (error: MillraceError) => void;
}

/**
 * The main thread's end of the compute thread: typed calls that are answered in the order in which they were made.
 * A thread that ends by itself rejects every call under way, and every later one, with MILLRACE_COMPUTE_FAILED.
 */
export class ComputeThread {
  readonly #port: ComputePort;
  readonly #pending = new Map<number, Pending>();
  #nextId = 0;
  /** What calls are refused with once the thread has ended or is being closed. */
  #refusal: MillraceError | undefined;
  #exited = false;
  #closing: Promise<void> | undefined;
  #onIdle: (() => void) | undefined;

  /** @param onDeath called once if the thread ends without being asked to */
  constructor(port: ComputePort, onDeath: (error: MillraceError) => void) {
    this.#port = port;
    this.#port.on('message', (reply: Reply) => this.#settle(reply));
    const died = (reason: string, cause?: unknown) => {
      if (this.#exited) return;
      this.#exited = true;
      const error = new MillraceError('MILLRACE_COMPUTE_FAILED', `The compute thread ended: ${reason}.`, {
        cause,
      });
      this.#end(error);
      onDeath(error);
    };
    this.#port.on('error', (error) => died(messageOf(error), error));
    this.#port.on('messageerror', (error) => died(`a message was lost, ${messageOf(error)}`, error));
    this.#port.on('exit', (code) => died(`exit code ${code}`));
  }

  /** It has ended by itself or was abandoned. */
  get hasEnded(): boolean {
    return this.#exited;
  }

  /** Makes a call; the buffers of its typed arrays move to the thread and are empty here afterwards. */
  call<N extends CallName>(name: N, ...args: CallArguments<N>): Promise<CallResult<N>> {
    if (this.#refusal !== undefined) return Promise.reject(this.#refusal);
    const id = this.#nextId++;
    const request: Request<N> = { id, name, args };
    return new Promise((resolve, reject) => {
      try {
        this.#port.postMessage(request, transferable(args));
        this.#pending.set(id, { resolve, reject });
      } catch (cause) {
        // An array that was given away before cannot be sent again.
        reject(
          new MillraceError('MILLRACE_COMPUTE_FAILED', `The call cannot be sent: ${messageOf(cause)}`, {
            cause,
          }),
        );
      }
    });
  }

  /** Waits for the calls under way, then ends the thread. Later calls are refused. */
  close(): Promise<void> {
    this.#closing ??= this.#drain();
    return this.#closing;
  }

  /** Ends the thread; calls under way fail. False when it has not ended within five seconds. */
  async abandon(): Promise<boolean> {
    this.#exited = true;
    this.#end(new MillraceError('MILLRACE_COMPUTE_FAILED', 'The compute thread was ended during this call.'));
    const terminated = this.#port.terminate().then(() => true);
    return Promise.race([terminated, delay(abandonTimeoutMs, false, { ref: false })]);
  }

  async #drain(): Promise<void> {
    this.#refusal ??= new MillraceError(
      'MILLRACE_COMPUTE_FAILED',
      'The compute thread was closed before this call.',
    );
    if (this.#pending.size > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve));
    if (this.#exited) return;
    this.#exited = true;
    await this.#port.terminate();
  }

  #settle(reply: Reply): void {
    const pending = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if ('error' in reply) pending?.reject(fromErrorMessage(reply.error));
    else pending?.resolve(reply.result as never);
    if (this.#pending.size === 0) this.#onIdle?.();
  }

  #end(error: MillraceError): void {
    this.#refusal = error;
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
    this.#onIdle?.();
  }
}
