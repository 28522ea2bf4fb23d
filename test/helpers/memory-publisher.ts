import type { OutgoingRecord } from '../../src/stream/publisher/produce-request.js';
import { RecordTooLargeError, type Publisher } from '../../src/stream/publisher/publisher.js';

/** Keeps what is written. */
export class MemoryPublisher implements Publisher {
  readonly records: OutgoingRecord[] = [];
  /** Number of calls of `send`. */
  sends = 0;
  /** When set, `send` waits for it first. */
  gate: Promise<void> | undefined;
  /** Called first by every `send`; may throw. */
  beforeSend: (records: readonly OutgoingRecord[]) => void = () => {};
  maxValueBytes = Infinity;
  /** As `maxValueBytes`, for dead letters. */
  maxLetterBytes = Infinity;

  async send(records: readonly OutgoingRecord[]): Promise<void> {
    this.sends += 1;
    await this.gate;
    this.beforeSend(records);
    const refused = [...records.keys()].filter((index) => {
      const { topic, value } = records[index];
      const limit = topic.endsWith('.dlq')
        ? Math.min(this.maxLetterBytes, this.maxValueBytes)
        : this.maxValueBytes;
      return (value?.length ?? 0) > limit;
    });
    this.records.push(...records.filter((_, index) => !refused.includes(index)));
    if (refused.length > 0) throw new RecordTooLargeError(refused, [records[refused[0]].topic]);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** What was written to a topic. */
  of(topic: string): OutgoingRecord[] {
    return this.records.filter((record) => record.topic === topic);
  }
}
