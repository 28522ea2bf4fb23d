import { createRequire } from 'node:module';

/** What is used of a connection of kafkajs 2.2.4 (src/network/connection). */
interface Connection {
  readonly socket: object;
  /** Set while the answer of a SASL exchange is awaited, which may have no frame. */
  readonly authHandlers: object | null;
  readonly requestQueue: {
    fulfillRequest(answer: { correlationId: number; payload: Buffer; size: number }): void;
  };
  processData(data: Buffer): void;
}

const [lengthBytes, correlationIdBytes] = [4, 4];
/** A larger answer is nothing that is asked for here; it may be that another protocol is spoken. */
const maxAnswerBytes = 256 * 1024 * 1024;

/**
 * Puts answers together out of what a socket brings:
 *
 *   length int32 (of what follows it)   correlationId int32   payload
 *
 * An answer that comes in several pieces gets memory of its own, into which each piece is copied as it comes.
 */
export class AnswerFrames {
  readonly #length = Buffer.alloc(lengthBytes);
  #lengthFilled = 0;
  #answer: Buffer | undefined;
  #answerFilled = 0;

  /** Whether a part of an answer has come, and not all of it. */
  get isWithin(): boolean {
    return this.#answer !== undefined || this.#lengthFilled > 0;
  }

  /**
   * Takes what has come, and hands over each answer that is complete with it, without its length.
   *
   * @returns what cannot be the beginning of an answer, from its length on; undefined when all is well
   */
  push(data: Buffer, onAnswer: (answer: Buffer) => void): Buffer | undefined {
    let at = 0;
    while (at < data.length) {
      if (this.#answer === undefined) {
        const taken = Math.min(lengthBytes - this.#lengthFilled, data.length - at);
        data.copy(this.#length, this.#lengthFilled, at, at + taken);
        this.#lengthFilled += taken;
        at += taken;
        if (this.#lengthFilled < lengthBytes) return undefined;
        const numBytes = this.#length.readInt32BE(0);
        if (numBytes < correlationIdBytes || numBytes > maxAnswerBytes) {
          return Buffer.concat([this.#length, data.subarray(at)]);
        }
        this.#lengthFilled = 0;
        if (at + numBytes <= data.length) {
          onAnswer(data.subarray(at, at + numBytes));
          at += numBytes;
          continue;
        }
        this.#answer = Buffer.allocUnsafeSlow(numBytes);
        this.#answerFilled = 0;
      }
      const answer = this.#answer;
      const taken = Math.min(answer.length - this.#answerFilled, data.length - at);
      data.copy(answer, this.#answerFilled, at, at + taken);
      this.#answerFilled += taken;
      at += taken;
      if (this.#answerFilled === answer.length) {
        this.#answer = undefined;
        onAnswer(answer);
      }
    }
    return undefined;
  }
}

let isReplaced = false;

/**
 * kafkajs 2.2.4 keeps the pieces of an answer and joins them at its end, when they have left the caches, together with
 * what follows; for fetches this was the largest single part of the client's work. It also keeps what came of an answer
 * when its connection broke, and puts the first answer of the next connection behind it.
 */
export function joinAnswersAsTheyCome(): void {
  if (isReplaced) return;
  isReplaced = true;
  const require = createRequire(import.meta.url);
  const { prototype } = require('kafkajs/src/network/connection') as { prototype: Connection };
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with the connection below
  const { processData } = prototype;
  const framesOf = new WeakMap<object, AnswerFrames>();
  /** Sockets on which something else was said; what kafkajs makes of that is left to it. */
  const foreign = new WeakSet<object>();

  prototype.processData = function (this: Connection, data) {
    const { socket } = this;
    let frames = framesOf.get(socket);
    const isExchange = this.authHandlers !== null && frames?.isWithin !== true;
    if (isExchange || foreign.has(socket)) return processData.call(this, data);
    if (frames === undefined) framesOf.set(socket, (frames = new AnswerFrames()));
    const rest = frames.push(data, (answer) => {
      this.requestQueue.fulfillRequest({
        size: answer.length,
        correlationId: answer.readInt32BE(0),
        payload: answer.subarray(correlationIdBytes),
      });
    });
    if (rest === undefined) return;
    foreign.add(socket);
    processData.call(this, rest);
  };
}
