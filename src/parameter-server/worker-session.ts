import type { Duplex } from 'node:stream';
import { secretCheck } from '../config/secret-check.js';
import { messageOf } from '../errors.js';
import type { CenterVariable, CommitAnswer } from './center-variable.js';
import type { Algorithm, AlgorithmSettings } from './algorithms/algorithm.js';
import { encodeFrame, FrameError, FrameReader, type Frame } from './frame.js';
import {
  messageTypes,
  plainOffsets,
  readCommit,
  readHello,
  readPositions,
  readPull,
  type Center,
  type MessageType,
  type Refusal,
  type Welcome,
} from './message.js';

export interface SessionParts {
  readonly center: CenterVariable;
  readonly algorithm: Algorithm;
  readonly settings: AlgorithmSettings;
  /** What a worker must say; anybody may commit unless given. */
  readonly token?: string | undefined;
  /** Why nothing may be changed at present; undefined when all is well. */
  readonly readOnly: () => string | undefined;
  /**
   * Resolves when partitions that were taken up are kept, which they must be before any of their rows is read.
   *
   * @param isNew none of them may be kept yet
   */
  readonly begun: (isNew: boolean) => Promise<void>;
  readonly listener: SessionListener;
  /** How long a connection may say nothing, or be in the middle of a frame. */
  readonly idleTimeoutMs: number;
}

/** Who is told what workers do. */
export interface SessionListener {
  joined(worker: string): void;
  pulled(worker: string, clock: number, moved: boolean): void;
  committed(worker: string, answer: CommitAnswer): void;
  left(worker: string): void;
  /** A connection was ended for what it said, or did not say in time. */
  refused(refusal: Refusal, worker: string | undefined): void;
}

/** Before it is known who speaks, nobody gets more memory. */
const maxHelloBytes = 4 * 1024;
const maxHeadBytes = 64 * 1024;
/** Answers that a connection has not read: it is not listened to until it has. */
const maxUnreadAnswers = 2;

/**
 * The server's side of a connection: requests in, answers out, in their order. What a worker sends is judged before it
 * is acted on, and a connection that says what it should not ends with a refusal; nobody else notices.
 */
export class WorkerSession {
  readonly #stream: Duplex;
  readonly #parts: SessionParts;
  readonly #reader: FrameReader;
  #worker: string | undefined;
  #idle: NodeJS.Timeout | undefined;
  #hasEnded = false;

  constructor(stream: Duplex, parts: SessionParts) {
    this.#stream = stream;
    this.#parts = parts;
    this.#reader = new FrameReader(() => this.#maxFrameBytes());
    stream.on('data', (data: Buffer) => this.#onData(data));
    stream.on('drain', () => stream.resume());
    stream.on('error', () => this.end());
    stream.on('end', () => this.end());
    stream.on('close', () => this.end());
    this.#watch();
  }

  /** Ends the connection at once. */
  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    clearTimeout(this.#idle);
    this.#stream.destroy();
    if (this.#worker !== undefined) this.#parts.listener.left(this.#worker);
  }

  #maxFrameBytes(): number {
    if (this.#worker === undefined) return maxHelloBytes;
    const numArrays = this.#parts.algorithm.needsPulled ? 2 : 1;
    return maxHeadBytes + 4 * numArrays * this.#parts.center.weights.length;
  }

  #onData(data: Buffer): void {
    if (this.#hasEnded) return;
    try {
      const wasWithin = this.#reader.isWithin;
      this.#reader.push(data, (frame) => {
        if (!this.#hasEnded) this.#onFrame(frame);
      });
      // Within a frame, the time runs from its first byte: it may not come one by one for ever.
      if (!(wasWithin && this.#reader.isWithin)) this.#watch();
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#refuse(0, 'MILLRACE_REQUEST_INVALID', `A frame cannot be read: ${error.message}.`);
    }
  }

  #onFrame(frame: Frame): void {
    if (this.#worker === undefined) return this.#greet(frame);
    const { center } = this.#parts;
    switch (frame.type) {
      case messageTypes.pull: {
        const { knownClock } = readPull(frame);
        const moved = knownClock !== center.clock;
        this.#parts.listener.pulled(this.#worker, center.clock, moved);
        return this.#answerCenter(messageTypes.center, frame.request, { clock: center.clock }, moved);
      }
      case messageTypes.commit:
        return this.#commit(this.#worker, frame);
      case messageTypes.begin:
        return this.#begin(frame);
      default:
        return this.#refuse(
          frame.request,
          'MILLRACE_REQUEST_INVALID',
          `A frame of type ${frame.type} is no request.`,
        );
    }
  }

  #greet(frame: Frame): void {
    if (frame.type !== messageTypes.hello) {
      return this.#refuse(frame.request, 'MILLRACE_REQUEST_INVALID', 'The first frame says who speaks.');
    }
    const { worker, token = '' } = readHello(frame);
    const { token: expected, center, algorithm, settings, listener } = this.#parts;
    if (expected !== undefined && !secretCheck(expected)(token)) {
      return this.#refuse(
        frame.request,
        'MILLRACE_REQUEST_UNAUTHORIZED',
        'The token is not that of this parameter server.',
      );
    }
    this.#worker = worker;
    listener.joined(worker);
    const welcome: Welcome = {
      algorithm: algorithm.name,
      settings,
      numWeights: center.weights.length,
      clock: center.clock,
    };
    this.#answer(messageTypes.welcome, frame.request, welcome);
  }

  #begin(frame: Frame): void {
    if (this.#refuseChange(frame.request)) return;
    const { center, begun } = this.#parts;
    const numKnown = center.positions.length;
    const positions = readPositions(frame).map((each) => ({ ...each, position: center.begin(each) }));
    const answer = () => {
      if (!this.#hasEnded) this.#answer(messageTypes.positions, frame.request, plainOffsets({ positions }));
    };
    begun(center.positions.length > numKnown).then(answer, (error: unknown) => {
      this.#refuse(
        frame.request,
        'MILLRACE_NOT_READY',
        `Nothing can be kept at present: ${messageOf(error)}`,
      );
    });
  }

  #commit(worker: string, frame: Frame): void {
    if (this.#refuseChange(frame.request)) return;
    const { center, listener } = this.#parts;
    const { pulls, ...head } = readCommit(frame);
    const numWeights = center.weights.length;
    const [residual, pulled] = [frame.numbers.subarray(0, numWeights), frame.numbers.subarray(numWeights)];
    const answer = center.commit({
      ...{ worker, ...head, residual },
      pulled: pulled.length > 0 ? pulled : undefined,
    });
    listener.committed(worker, answer);
    const moved = pulls && head.baseClock !== center.clock;
    this.#answerCenter(
      messageTypes.answer,
      frame.request,
      { ...(plainOffsets(answer) as object), clock: moved ? center.clock : answer.clock },
      moved,
    );
  }

  /** Refuses what would change the center variable while it cannot be kept. */
  #refuseChange(request: number): boolean {
    const reason = this.#parts.readOnly();
    if (reason === undefined) return false;
    this.#refuse(request, 'MILLRACE_NOT_READY', `Nothing can be changed at present: ${reason}`);
    return true;
  }

  #answerCenter(type: MessageType, request: number, head: Center, moved: boolean): void {
    // What is sent must not change until it is sent, and the next commit may come before.
    this.#answer(type, request, head, moved ? this.#parts.center.weights.slice() : undefined);
  }

  #answer(type: MessageType, request: number, head: unknown, numbers = new Float32Array(0)): void {
    const [front, bytes] = encodeFrame({ type, request, head, numbers });
    this.#stream.cork();
    this.#stream.write(front);
    if (bytes.length > 0) this.#stream.write(bytes);
    this.#stream.uncork();
    if (this.#stream.writableLength > maxUnreadAnswers * this.#maxFrameBytes()) this.#stream.pause();
  }

  #refuse(request: number, code: string, message: string): void {
    if (this.#hasEnded) return;
    this.#parts.listener.refused({ code, message }, this.#worker);
    this.#answer(messageTypes.refusal, request, { code, message });
    this.#stream.end();
    // Whoever does not read that is not waited for.
    this.#hasEnded = true;
    clearTimeout(this.#idle);
    const gone = setTimeout(() => this.#stream.destroy(), this.#parts.idleTimeoutMs).unref();
    this.#stream.once('close', () => clearTimeout(gone));
    if (this.#worker !== undefined) this.#parts.listener.left(this.#worker);
  }

  #watch(): void {
    clearTimeout(this.#idle);
    if (this.#hasEnded) return;
    this.#idle = setTimeout(() => {
      this.#refuse(0, 'MILLRACE_REQUEST_TIMEOUT', 'Nothing has come for too long.');
    }, this.#parts.idleTimeoutMs).unref();
  }
}
