import { MillraceError } from '../errors.js';
import type { RowDecoder } from '../features/row-decoder.js';
import { isRowFault, RowFault } from '../features/row-faults.js';
import type { ModelPredictor, Predictions } from '../model/predictor.js';
import type { Encoder } from '../record/codec.js';
import type { Stage } from '../telemetry/metrics.js';
import { valueOf } from '../stream/record-value.js';
import type { IncomingRecord } from '../stream/source/topic-source.js';
import { AnswerEncoder } from './answer-encoder.js';
import {
  countRows,
  deadLetterAnswer,
  type Answer,
  type AnsweredChunk,
  type DeadLetterAddress,
} from './answer.js';
import type { Chunk } from './chunk.js';
import type { EmitFilter } from './emit-filter.js';
import { Turns } from './turns.js';

export interface ChunkAnswererParts {
  readonly decoder: RowDecoder;
  readonly predictor: Pick<ModelPredictor, 'predictMany' | 'value'>;
  readonly encoder: Encoder;
  readonly emits: EmitFilter;
  readonly outputTopic: string;
  readonly deadLetters: DeadLetterAddress;
  readonly onStage: (stage: Stage, seconds: number) => void;
  /** Repeats what fails because the schema registry is away, until it is back or the signal aborts. */
  readonly retry: <T>(work: () => Promise<T>, abandoned: AbortSignal) => Promise<T>;
}

/** From the records of a chunk to the answers to be written: decode, predict, encode. Writes nothing. */
export class ChunkAnswerer {
  readonly #parts: ChunkAnswererParts;
  /** Decoding a chunk and encoding its answers take milliseconds each, and a batch of the model answers many. */
  readonly #turns = new Turns();

  constructor(parts: ChunkAnswererParts) {
    this.#parts = parts;
  }

  /**
   * Answers every row of a chunk; a row that cannot be used becomes a dead letter.
   *
   * Throws what no row is to blame for: MILLRACE_COMPUTE_FAILED, MILLRACE_REGISTRY_UNAVAILABLE,
   * MILLRACE_COUNT_MISMATCH.
   */
  async answer(chunk: Chunk): Promise<AnsweredChunk> {
    const { decoder, predictor, retry } = this.#parts;
    const { records, owned } = chunk;
    // A record makes its value anew at each asking.
    const values = records.map(valueOf);
    const bytes = values.map((value) => (isRowFault(value) ? null : value));
    await retry(() => decoder.prepare(bytes), owned.lost);
    await this.#turns.next();
    const batch = this.#timed('decode', () => decoder.read(values));
    // The predictor transforms before it first waits, which is when this call returns.
    const predicting = this.#timed('transform', () => predictor.predictMany(batch));
    const predictions = await predicting;
    await this.#turns.next();
    checkCount(records.length, predictions);
    const answered = this.#timed('encode', () => this.#encode(chunk, predictions, batch.keys));
    countRows(answered);
    return answered;
  }

  #encode(
    chunk: Chunk,
    predictions: Predictions,
    keys: readonly (string | number | boolean | null)[],
  ): AnsweredChunk {
    const { emits, deadLetters, predictor } = this.#parts;
    const { records, owned } = chunk;
    const encoder = new AnswerEncoder(this.#parts, owned, records.length);
    const predictionAnswer = (input: IncomingRecord, row: number): Answer => {
      try {
        return { input, record: encoder.encode(input, predictor.value(predictions, row, keys[row])) };
      } catch (error) {
        return deadLetterAnswer(owned, input, RowFault.of(error), deadLetters);
      }
    };
    const answers: Answer[] = [];
    let [filtered, skipped] = [0, 0];
    for (let row = 0; row < records.length; row++) {
      const input = records[row];
      const fault = predictions.faults.get(row);
      if (fault?.disposition === 'skip') skipped += 1;
      else if (fault !== undefined) answers.push(deadLetterAnswer(owned, input, fault, deadLetters));
      else if (!emits(predictions, row)) filtered += 1;
      else answers.push(predictionAnswer(input, row));
    }
    return { chunk, answers, filtered, skipped };
  }

  #timed<T>(stage: Stage, work: () => T): T {
    const startedAt = performance.now();
    const result = work();
    this.#parts.onStage(stage, (performance.now() - startedAt) / 1000);
    return result;
  }
}

function checkCount(numRows: number, { indices, outputs, numOutputs }: Predictions): void {
  if (indices.length === numRows && outputs.length === numRows * numOutputs) return;
  throw new MillraceError(
    'MILLRACE_COUNT_MISMATCH',
    `${numRows} rows were given to the model and ${indices.length} came back; please report this.`,
  );
}
