import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it, type TestContext } from 'node:test';
import { packageRoot } from '../../src/config/package-root.js';
import type { PartitionPosition } from '../../src/parameter-server/positions.js';
import { ParameterServerClient } from '../../src/parameter-server/parameter-server-client.js';
import { scratchFolder } from '../helpers/scratch.js';

const program = join(packageRoot, 'dist/test/helpers/counting-parameter-server.js');
const numRows = 400;
const numPartitions = 4;

/** A parameter server in a process of its own, that comes back at the same port however it is ended. */
class Server {
  readonly #folder: string;
  #process: ChildProcess | undefined;
  port = 0;

  constructor(t: TestContext) {
    // Before the folder is removed, which comes next.
    t.after(() => this.end('SIGKILL'));
    this.#folder = scratchFolder(t);
  }

  async start(): Promise<void> {
    const child = spawn(process.execPath, [program, this.#folder, String(this.port)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#process = child;
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    this.port = Number(line);
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    if (this.#process?.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.kill(signal);
    await ended;
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  client(worker: string, onSocket: (socket: Socket) => void = () => {}): Promise<ParameterServerClient> {
    return ParameterServerClient.open({
      ...{ worker, token: 'secret', answerTimeoutMs: 2_000, maxOutageMs: 30_000 },
      onTrouble: () => {},
      connect: async () => {
        const socket = connect(this.port, '127.0.0.1');
        onSocket(socket);
        await once(socket, 'connect');
        return socket;
      },
    });
  }
}

/** Whole numbers, the same for the same seed. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Reads its partitions as a worker does: from where they stand, and from there again when a commit is refused. */
async function work(
  client: ParameterServerClient,
  partitions: readonly number[],
  random: (below: number) => number,
) {
  const starts = partitions.map((partition): PartitionPosition => ({
    topic: 'rows',
    partition,
    position: 0n,
  }));
  let positions = await client.begin(starts);
  let clock = client.welcome.clock;
  for (;;) {
    const left = positions.filter(({ position }) => position < numRows);
    if (left.length === 0) return;
    const { topic, partition, position: from } = left[random(left.length)];
    const count = Math.min(1 + random(20), numRows - Number(from));
    const to = from + BigInt(count);
    const { answer, center } = await client.commit({
      baseClock: clock,
      ranges: [{ topic, partition, from, to }],
      residual: Float32Array.of(count),
      pulls: true,
    });
    if (answer.outcome === 'applied') {
      positions = positions.map((each) => (each.partition === partition ? { ...each, position: to } : each));
      clock = center!.clock;
    } else {
      positions = await client.begin(starts);
      clock = (await client.pull()).clock;
    }
  }
}

describe('a parameter server', () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    it(`counts every row once while it is killed and connections are cut (seed ${seed})`, async (t) => {
      const random = randomNumbers(seed);
      const server = new Server(t);
      await server.start();
      const sockets = new Set<Socket>();
      const keep = (socket: Socket) => {
        sockets.add(socket);
        socket.once('close', () => sockets.delete(socket));
      };
      const clients = await Promise.all(['a', 'b'].map((worker) => server.client(worker, keep)));
      // Both believe that partition 1 is theirs: each of its rows is learnt by one of them all the same.
      let isDone = false;
      const working = Promise.all([
        work(clients[0], [0, 1], randomNumbers(seed + 100)),
        work(clients[1], [1, 2, 3], randomNumbers(seed + 200)),
      ]).finally(() => (isDone = true));
      for (let fault = 0; fault < 6 && !isDone; fault++) {
        // The faults are spread over the commits, and not over time.
        const observer = await server.client(`observer ${fault}`);
        const goal = observer.welcome.clock + 1 + random(12);
        while (!isDone && (await observer.pull()).clock < goal) await new Promise(setImmediate);
        observer.close();
        const kind = random(4);
        if (kind < 2) {
          await server.end('SIGKILL');
          await server.start();
        } else if (kind === 2) {
          for (const socket of sockets) socket.destroy();
        } else {
          server.signal('SIGSTOP');
          for (const socket of sockets) socket.destroy();
          server.signal('SIGCONT');
        }
      }
      await working;
      const { weights } = await clients[0].pull();
      assert.equal(weights![0], numRows * numPartitions);
      for (const client of clients) client.close();
    });
  }

  it('remembers where a partition was taken up, however soon it is killed', async (t) => {
    const server = new Server(t);
    await server.start();
    const client = await server.client('a');
    const beginAt = (position: bigint) => client.begin([{ topic: 'rows', partition: 0, position }]);
    assert.equal((await beginAt(7n))[0].position, 7n);
    await server.end('SIGKILL');
    await server.start();
    // Whoever begins at the end of the topic finds another end now.
    assert.equal((await beginAt(9n))[0].position, 7n);
    client.close();
  });

  it('keeps what was learnt when it is asked to end', async (t) => {
    const server = new Server(t);
    await server.start();
    const client = await server.client('a');
    await work(client, [0], randomNumbers(1));
    await server.end('SIGTERM');
    await server.start();
    assert.deepEqual((await client.pull()).weights, Float32Array.of(numRows));
    client.close();
  });

  it('answers others while one says nonsense, and one does not read', async (t) => {
    const server = new Server(t);
    await server.start();
    const nonsense = connect(server.port, '127.0.0.1');
    const ended = once(nonsense.on('error', () => {}).resume(), 'close');
    nonsense.write('GET / HTTP/1.1\r\n\r\n');
    const silent = connect(server.port, '127.0.0.1');
    const client = await server.client('a');
    await ended;
    assert.equal((await client.pull()).clock, 0);
    silent.destroy();
    client.close();
  });
});
