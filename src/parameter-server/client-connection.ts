import type { Duplex } from 'node:stream';
import { MillraceError } from '../errors.js';
import { joinArrays } from '../features/join-arrays.js';
import { encodeFrame, FrameError, FrameReader, type Frame } from './frame.js';
import { messageTypes, readRefusal, type MessageType } from './message.js';

interface Asked {
  readonly answerType: MessageType;
  readonly resolve: (frame: Frame) => void;
  readonly reject: (error: MillraceError) => void;
}

export interface ConnectionOptions {
  /** How long an answer may take. */
  readonly answerTimeoutMs: number;
  /** Of the largest answer. */
  readonly maxFrameBytes: () => number;
}

/** Refusals that come again however often the same is asked. */
const lasting = new Set(['MILLRACE_REQUEST_UNAUTHORIZED', 'MILLRACE_REQUEST_INVALID']);

/** A worker's side of a connection: each request gets its answer, or fails with the connection. */
export class ClientConnection {
  readonly #stream: Duplex;
  readonly #options: ConnectionOptions;
  readonly #reader: FrameReader;
  readonly #asked = new Map<number, Asked>();
  #lastRequest = 0;
  #failure: MillraceError | undefined;

  constructor(stream: Duplex, options: ConnectionOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#reader = new FrameReader(options.maxFrameBytes);
    stream.on('data', (data: Buffer) => this.#onData(data));
    stream.on('error', (error) => this.#fail(error.message));
    stream.on('end', () => this.#fail('it ended the connection'));
    stream.on('close', () => this.#fail('the connection was closed'));
  }

  get isOpen(): boolean {
    return this.#failure === undefined;
  }

  /**
   * Asks one thing; the answer is of the type behind that of the request. The numbers must not change before it is there.
   * Throws MILLRACE_PARAMETER_SERVER_UNAVAILABLE, MILLRACE_PARAMETER_SERVER_REFUSED.
   */
  async ask(type: MessageType, head: unknown, ...numbers: readonly Float32Array[]): Promise<Frame> {
    if (this.#failure !== undefined) throw this.#failure;
    const request = ++this.#lastRequest;
    const answered = new Promise<Frame>((resolve, reject) => {
      this.#asked.set(request, { answerType: (type + 1) as MessageType, resolve, reject });
    });
    const timer = setTimeout(
      () => this.#fail(`it has not answered for ${this.#options.answerTimeoutMs / 1000} s`),
      this.#options.answerTimeoutMs,
    );
    const pieces = encodeFrame({
      type,
      request,
      head,
      numbers: numbers.length === 1 ? numbers[0] : joinArrays(Float32Array, numbers),
    });
    this.#stream.cork();
    for (const piece of pieces) if (piece.length > 0) this.#stream.write(piece);
    this.#stream.uncork();
    try {
      return await answered;
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.#fail('the connection was closed');
  }

  #onData(data: Buffer): void {
    try {
      this.#reader.push(data, (frame) => this.#onFrame(frame));
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#fail(`what it says cannot be read: ${error.message}`);
    }
  }

  #onFrame(frame: Frame): void {
    if (frame.type === messageTypes.refusal) {
      const { code, message } = readRefusal(frame);
      return this.#end(
        new MillraceError(
          lasting.has(code) ? 'MILLRACE_PARAMETER_SERVER_REFUSED' : 'MILLRACE_PARAMETER_SERVER_UNAVAILABLE',
          message,
        ),
      );
    }
    const asked = this.#asked.get(frame.request);
    if (asked?.answerType !== frame.type) return this.#fail('it answers what was not asked');
    this.#asked.delete(frame.request);
    asked.resolve(frame);
  }

  #fail(reason: string): void {
    if (this.#failure !== undefined) return;
    this.#end(
      new MillraceError(
        'MILLRACE_PARAMETER_SERVER_UNAVAILABLE',
        `The parameter server is not to be reached (${reason}); check its address, and that it runs.`,
      ),
    );
  }

  #end(failure: MillraceError): void {
    this.#failure ??= failure;
    this.#stream.destroy();
    for (const { reject } of this.#asked.values()) reject(this.#failure);
    this.#asked.clear();
  }
}
