import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { MillraceError } from '../../src/errors.js';
import { loadBetween, steadySamples, type Load } from '../delivery/full-load.js';
import { deleteTopic } from '../delivery/serving-run.js';
import { machineCpuSeconds } from '../machine.js';
import type { Sample } from '../member-sample.js';
import { peersFolder } from '../peers/python.js';
import { ensureTopics } from '../../src/stream/topics/topics.js';
import type { StreamSurroundings } from '../surroundings.js';
import { numPartitions } from '../delivery/workload.js';

/** What the consumer in Python serves. */
export interface PeerServing {
  /** The interpreter that has what it needs. */
  readonly python: string;
  readonly bundle: string;
  readonly topic: string;
  readonly numRows: number;
  readonly numMembers: number;
  readonly flags: readonly string[];
  /** Called once when all of them have their partitions. */
  readonly onReady?: () => Promise<void>;
}

/** Lets the consumer in Python work through all rows; `work` sees its output topic before it is removed. */
export async function peerServing<T>(
  { python, bundle, topic, numRows, numMembers, flags, onReady }: PeerServing,
  surroundings: StreamSurroundings,
  work: (output: string, samples: readonly Sample[]) => Promise<T>,
): Promise<T> {
  const { uniqueName, brokers, client, environment } = surroundings;
  const name = uniqueName('peer');
  const output = `${name}-predictions`;
  await ensureTopics(client, [{ topic: output, numPartitions }], { create: true });
  const args = [join(peersFolder, 'serve.py'), '--bundle', bundle, '--brokers', brokers, ...flags];
  const ofRun = ['--topic', topic, '--output', output, '--group', name];
  const peers = Array.from({ length: numMembers }, () => {
    // It ends when its input does, even when this process is killed.
    const peer = spawn(python, [...args, ...ofRun], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...environment, TF_CPP_MIN_LOG_LEVEL: '2', PYTHONUNBUFFERED: '1' },
    });
    peer.stdin.on('error', () => {});
    return peer;
  });
  try {
    const samples = await sampleAll(peers, { numRows, onReady }, surroundings.signal);
    return await work(output, samples);
  } finally {
    for (const peer of peers) peer.stdin.destroy();
    await Promise.all(
      peers.map(async (peer) => {
        if (peer.exitCode === null && peer.signalCode === null) await once(peer, 'exit');
      }),
    );
    await deleteTopic(output, surroundings);
  }
}

/** How fast it works, in the steady part. */
export function measurePeer(what: PeerServing, surroundings: StreamSurroundings): Promise<Load> {
  return peerServing(what, surroundings, (_, samples) =>
    Promise.resolve(loadBetween(...steadySamples(samples, what.numRows))),
  );
}

/** A line that the peer writes when it gets its partitions, and after each batch. */
interface Line {
  readonly rows: number;
  readonly atMs: number;
  readonly cpuSeconds: number;
}

/** Samples of all of them together, one whenever one of them has done a batch. */
function sampleAll(
  peers: readonly (ChildProcess & { stdout: NodeJS.ReadableStream; stderr: NodeJS.ReadableStream })[],
  { numRows, onReady }: Pick<PeerServing, 'numRows' | 'onReady'>,
  signal: AbortSignal,
): Promise<Sample[]> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const samples: Sample[] = [];
    const waiting = new Set(peers.keys());
    let isReady = false;
    const last = peers.map((): Line => ({ rows: 0, atMs: 0, cpuSeconds: 0 }));
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    for (const [index, peer] of peers.entries()) {
      let said = '';
      peer.stderr.on('data', (text: Buffer) => (said = (said + text.toString()).slice(-4_000)));
      createInterface({ input: peer.stdout }).on('line', (text) => {
        last[index] = JSON.parse(text) as Line;
        waiting.delete(index);
        if (waiting.size === 0 && !isReady) {
          isReady = true;
          onReady?.().catch(reject);
        }
        const rows = last.reduce((sum, line) => sum + line.rows, 0);
        samples.push({
          rows,
          atMs: last[index].atMs,
          cpuSeconds: last.reduce((sum, line) => sum + line.cpuSeconds, 0),
          machineCpuSeconds: machineCpuSeconds(),
        });
        if (rows >= numRows) resolve(samples);
      });
      peer.once('exit', (code) =>
        reject(
          new MillraceError('MILLRACE_CONSUMER_CRASHED', `The peer in Python ended with ${code}:\n${said}`),
        ),
      );
      peer.once('error', reject);
    }
  });
}
