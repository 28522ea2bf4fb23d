import type { Duplex } from 'node:stream';
import { MillraceError } from '../errors.js';
import { retrying } from '../telemetry/retrying.js';
import type { CommitAnswer } from './center-variable.js';
import { ClientConnection } from './client-connection.js';
import { FrameError, type Frame } from './frame.js';
import {
  messageTypes,
  plainOffsets,
  readAnswer,
  readCenter,
  readPositions,
  readWelcome,
  type MessageType,
  type Welcome,
} from './message.js';
import type { OffsetRange, PartitionPosition } from './positions.js';

export interface ParameterServerClientOptions {
  /** Of this run of a worker, and of no other. */
  readonly worker: string;
  readonly token?: string | undefined;
  /** Opens a connection. Throws whatever the system says. */
  readonly connect: () => Promise<Duplex>;
  /** How long an answer may take. */
  readonly answerTimeoutMs: number;
  /** How long the server may be away before its error is thrown. */
  readonly maxOutageMs: number;
  /** Told why the server is not to be reached, and with undefined that it is again. */
  readonly onTrouble: (reason: string | undefined) => void;
}

/** The center variable at a clock. */
export interface PulledCenter {
  readonly clock: number;
  /** Undefined when it is the one that was known. */
  readonly weights: Float32Array | undefined;
}

/** What a worker commits. */
export interface WindowCommit {
  readonly baseClock: number;
  readonly ranges: readonly OffsetRange[];
  readonly residual: Float32Array;
  /** The center variable of `baseClock`, for the rules that need it. */
  readonly pulled?: Float32Array | undefined;
  /** Brings the center variable along with the answer. */
  readonly pulls: boolean;
}

export interface CommittedWindow {
  readonly answer: CommitAnswer;
  /** There when it was asked for and has moved. */
  readonly center: PulledCenter | undefined;
}

/** Of what the server says before it is known how large a center variable it has. */
const maxWelcomeBytes = 64 * 1024;
const maxHeadBytes = 64 * 1024;

/**
 * A worker's way to its parameter server. What is asked while the server is away waits until it is back, and is asked
 * again: a commit that was applied the first time is not applied once more. One thing is asked at a time.
 *
 * Calls throw MILLRACE_PARAMETER_SERVER_UNAVAILABLE when that lasts too long, or the client was closed, and
 * MILLRACE_PARAMETER_SERVER_REFUSED when the server will have nothing of this worker.
 */
export class ParameterServerClient {
  readonly #options: ParameterServerClientOptions;
  readonly #closing = new AbortController();
  #connection: ClientConnection | undefined;
  #welcome: Welcome | undefined;
  #lastSequence = 0;
  #lastCall: Promise<unknown> = Promise.resolve();

  private constructor(options: ParameterServerClientOptions) {
    this.#options = options;
  }

  static async open(options: ParameterServerClientOptions): Promise<ParameterServerClient> {
    const client = new ParameterServerClient(options);
    await client.#patiently(async () => void (await client.#connected()));
    return client;
  }

  /** What the server said of itself at first. */
  get welcome(): Welcome {
    return this.#welcome!;
  }

  /** @param knownClock of the center variable that the worker has, which is then not sent again */
  pull(knownClock = -1): Promise<PulledCenter> {
    return this.#ask(messageTypes.pull, { knownClock }, [], (frame) => {
      return { clock: readCenter(frame).clock, weights: this.#weightsOf(frame) };
    });
  }

  /** Takes up partitions at these positions, or where the center variable has them; says where that is. */
  begin(positions: readonly PartitionPosition[]): Promise<PartitionPosition[]> {
    return this.#ask(messageTypes.begin, plainOffsets({ positions }), [], readPositions);
  }

  /** Commits a window. Its numbers must not change before the answer is there. */
  commit({ residual, pulled, ...window }: WindowCommit): Promise<CommittedWindow> {
    const head = plainOffsets({ ...window, sequence: ++this.#lastSequence });
    const numbers = pulled === undefined ? [residual] : [residual, pulled];
    return this.#ask(messageTypes.commit, head, numbers, (frame) => {
      const answer = readAnswer(frame);
      const weights = this.#weightsOf(frame);
      return { answer, center: weights && { clock: answer.clock, weights } };
    });
  }

  /** Ends the connection; what is under way fails. */
  close(): void {
    this.#closing.abort();
    this.#connection?.close();
  }

  #ask<T>(
    type: MessageType,
    head: unknown,
    numbers: readonly Float32Array[],
    read: (frame: Frame) => T,
  ): Promise<T> {
    const call = this.#lastCall.then(() =>
      this.#patiently(async () => {
        const connection = await this.#connected();
        const frame = await connection.ask(type, head, ...numbers);
        return understood(() => read(frame));
      }),
    );
    this.#lastCall = call.catch(() => undefined);
    return call;
  }

  async #patiently<T>(work: () => Promise<T>): Promise<T> {
    const { maxOutageMs, onTrouble } = this.#options;
    return retrying(work, { maxOutageMs, onTrouble, abandoned: this.#closing.signal });
  }

  async #connected(): Promise<ClientConnection> {
    if (this.#closing.signal.aborted) throw unavailable('the client was closed');
    if (this.#connection?.isOpen === true) return this.#connection;
    const { worker, token, connect, answerTimeoutMs } = this.#options;
    let stream: Duplex;
    try {
      stream = await connect();
    } catch (error) {
      throw unavailable((error as Error).message, error);
    }
    const connection = new ClientConnection(stream, {
      answerTimeoutMs,
      maxFrameBytes: () =>
        this.#welcome === undefined ? maxWelcomeBytes : maxHeadBytes + 4 * this.#welcome.numWeights,
    });
    this.#connection = connection;
    const frame = await connection.ask(messageTypes.hello, { worker, token });
    const welcome = understood(() => readWelcome(frame));
    this.#welcome ??= welcome;
    if (welcome.numWeights !== this.#welcome.numWeights || welcome.algorithm !== this.#welcome.algorithm) {
      connection.close();
      throw new MillraceError(
        'MILLRACE_PARAMETER_SERVER_REFUSED',
        `The parameter server is another one than before: ${welcome.algorithm} with ${welcome.numWeights} weights, and not ${this.#welcome.algorithm} with ${this.#welcome.numWeights}; start the worker again.`,
      );
    }
    return connection;
  }

  /** Throws FrameError unless they are all or none. */
  #weightsOf({ numbers }: Frame): Float32Array | undefined {
    if (numbers.length === 0) return undefined;
    if (numbers.length === this.#welcome!.numWeights) return numbers;
    throw new FrameError(`it brings ${numbers.length} weights`);
  }
}

function understood<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof FrameError) throw unavailable(`its answer cannot be read: ${error.message}`, error);
    throw error;
  }
}

function unavailable(reason: string, cause?: unknown): MillraceError {
  return new MillraceError(
    'MILLRACE_PARAMETER_SERVER_UNAVAILABLE',
    `The parameter server is not to be reached (${reason}); check its address, and that it runs.`,
    { cause },
  );
}
