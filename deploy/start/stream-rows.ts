import { setTimeout as delay } from 'node:timers/promises';
import type { ProgramContext } from '../../src/config/program.js';
import { MillraceError } from '../../src/errors.js';
import { createJsonEncoder } from '../../src/record/json-codec.js';
import { createPublisher } from '../../src/stream/publisher/publisher.js';
import type { StreamClient } from '../../src/stream/client/connection.js';
import { deadLetterTopic } from '../../src/stream/dead-letter.js';
import { openLagReader } from '../../src/stream/source/group-lag.js';
import { createPace } from '../../src/stream/produce/pace.js';
import { produceRows } from '../../src/stream/produce/rows.js';
import { createDeadLetterSink } from '../../src/stream/produce/reject-sink.js';
import { showLive } from '../../src/telemetry/live-text.js';
import { readAnswers } from './answers.js';
import type { Input, InputRow } from './input.js';
import type { Members } from './members.js';
import { openRowBook } from './rows.js';
import { Tally, type Totals } from './tally.js';
import { renderLine, renderView, type Frame, type Phase } from './view.js';

export interface StreamOptions {
  /** Tells the rows of this run from all others. */
  readonly run: string;
  readonly input: Input;
  readonly topic: string;
  readonly output: string;
  readonly group: string;
  /** Rows per second; 0 is no limit. */
  readonly rate: number;
  /** Rows after which to end. */
  readonly rows: number | undefined;
  readonly members: Members;
  readonly client: StreamClient;
  readonly context: ProgramContext;
  /** Heading of the view. */
  readonly title: Pick<Frame, 'model' | 'source' | 'brokers'>;
}

const tickMs = 1_000;
const historyLength = 30;
/** When nothing is answered for this long, waiting for the rest is given up. */
const silenceLimitMs = 30_000;

/**
 * Streams the rows of the input, shows what happens, and waits until every row is answered. Returns the accounts.
 * Throws MILLRACE_CONSUMER_CRASHED when all members ended or the answers cannot be read.
 */
export async function streamRows(options: StreamOptions): Promise<Totals> {
  const { client, topic, output, group, context, members } = options;
  const now = () => performance.now();
  const tally = new Tally();
  const startedAt = now();
  const state: { phase: Phase; lag: Frame['lag']; history: Frame['history'] } = {
    phase: 'streaming',
    lag: undefined,
    history: [],
  };
  const frame = (): Frame => ({
    ...options.title,
    ...state,
    totals: tally.recent(now()),
    members: members.all,
    elapsedMs: now() - startedAt,
  });

  const answers = await readAnswers(client, {
    ...{ run: options.run, tally, now },
    ...{ predictions: output, deadLetters: deadLetterTopic(topic) },
  });
  const lag = await openLagReader(client, topic, group);
  const readLag = async () => {
    state.lag = await lag.read().catch(() => undefined);
  };
  const ticker = setInterval(() => {
    state.history = [...state.history, tally.recent(now()).predictedPerSecond].slice(-historyLength);
    void members.refresh();
    void readLag();
  }, tickMs);
  const view = showLive(context.stderr, {
    picture: (columns) => renderView(frame(), columns),
    line: () => renderLine(frame()),
  });
  try {
    const broken = Promise.race([answers.failed, membersEnded(members)]);
    await Promise.race([send(options, tally, now), broken]);
    state.phase = context.shutdown.aborted ? 'draining' : 'waiting for the last answers';
    await Promise.race([allAnswered(tally), broken]);
    await readLag();
    state.phase = 'done';
    return tally.whole((now() - startedAt) / 1000);
  } finally {
    clearInterval(ticker);
    view.end();
    await Promise.all([answers.close(), lag.close()]);
  }
}

/** Sends rows until there are no more or the run is asked to end; every one is in the tally and acknowledged. */
async function send(options: StreamOptions, tally: Tally, now: () => number): Promise<void> {
  const { client, topic, input, rows, rate, run, context } = options;
  const publisher = await createPublisher(client, { compression: 'none' });
  const book = openRowBook({ run, tally, damagedOneIn: input.damagedOneIn, now });
  const deadLetters = createDeadLetterSink(deadLetterTopic(topic), book.rejects(publisher));
  async function* labelledRows(): AsyncGenerator<readonly InputRow[]> {
    for await (const chunk of input.rows((reject) => deadLetters.write(reject))) {
      for (const { observation, label } of chunk) if (label !== undefined) book.knows(observation, label);
      yield chunk;
    }
  }
  try {
    await produceRows(labelledRows(), {
      topic,
      keyField: input.schema.key,
      encoder: book.encoder(createJsonEncoder(input.schema)),
      publisher: book.publisher(publisher),
      pace: createPace(rate === 0 ? undefined : rate),
      limit: rows,
      signal: context.shutdown,
      onUnsent: async ({ row: { origin }, fault }) => {
        if (origin !== undefined) await deadLetters.write({ ...origin, fault });
      },
      onSent: () => {},
    });
    await deadLetters.flush();
  } finally {
    await publisher.close();
  }
}

async function allAnswered(tally: Tally): Promise<void> {
  let outstanding = Infinity;
  let silentSince = performance.now();
  while (tally.outstanding > 0 && performance.now() - silentSince < silenceLimitMs) {
    if (tally.outstanding !== outstanding) silentSince = performance.now();
    outstanding = tally.outstanding;
    await delay(50);
  }
}

async function membersEnded(members: Members): Promise<never> {
  await members.allEnded;
  const logs = members.all.map(({ logFile }) => logFile).join(', ');
  throw new MillraceError(
    'MILLRACE_CONSUMER_CRASHED',
    `All serving members have ended; their logs are ${logs}.`,
  );
}
