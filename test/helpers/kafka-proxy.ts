import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** The numbers that Kafka's protocol gives to the requests that tests look for. */
export const apiKeys = {
  Produce: 0,
  Fetch: 1,
  OffsetCommit: 8,
  Heartbeat: 12,
  InitProducerId: 22,
  AddPartitionsToTxn: 24,
  AddOffsetsToTxn: 25,
  EndTxn: 26,
  TxnOffsetCommit: 28,
} as const;
export type Api = keyof typeof apiKeys;

/** A request on its way, or the one that a response belongs to. */
export interface KafkaRequest {
  readonly apiKey: number;
  readonly correlationId: number;
  readonly clientId: string;
  /** All of it behind the size. */
  readonly frame: Buffer;
}

/** What a trap waits for. */
export interface TrapOptions {
  readonly api: Api;
  /** Only requests of this client. */
  readonly client?: string;
  /** Whether the request is held before it reaches the broker, or the response before it reaches the client. */
  readonly on: 'request' | 'response';
  /** How many are let through before one is held; none unless given. */
  readonly skip?: number;
  readonly where?: (request: KafkaRequest) => boolean;
}

/** A request or response that is held, and with it everything behind it on its connection. */
export interface HeldFrame {
  readonly request: KafkaRequest;
  /** Lets it arrive; a request does so even if its client is gone by then. */
  release(): void;
  /** Lets it never arrive. */
  drop(): void;
}

interface Trap extends TrapOptions {
  left: number;
  caught(frame: HeldFrame): void;
}

/**
 * Stands between clients and one broker, which must advertise the address of the proxy, and holds single requests and
 * responses. It reads no more of the protocol than the header of requests:
 *
 *   request:  size int32, api_key int16, api_version int16, correlation_id int32, client_id nullable string, ...
 *   response: size int32, correlation_id int32, ...
 */
export class KafkaProxy {
  readonly #server: Server;
  readonly #targetPort: number;
  readonly #sockets = new Set<Socket>();
  readonly #traps = new Set<Trap>();

  private constructor(server: Server, targetPort: number) {
    this.#server = server;
    this.#targetPort = targetPort;
    server.on('connection', (client) => this.#link(client));
  }

  static async start(targetPort: number): Promise<KafkaProxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new KafkaProxy(server, targetPort);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Sets a trap, which resolves with the first frame that falls into it. */
  hold(options: TrapOptions): Promise<HeldFrame> {
    return new Promise((resolve) => {
      this.#traps.add({ ...options, left: options.skip ?? 0, caught: resolve });
    });
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #link(client: Socket): void {
    const broker = connect(this.#targetPort, '127.0.0.1');
    for (const socket of [client, broker]) {
      this.#sockets.add(socket.setNoDelay());
      socket.on('error', () => {});
      socket.on('close', () => this.#sockets.delete(socket));
    }
    // Without the broker a client is not kept waiting. Without the client, what it sent still goes to the broker.
    broker.on('close', () => client.destroy());
    const requests = new Map<number, KafkaRequest>();
    void this.#forward(client, broker, (frame) => {
      const request = parseRequest(frame);
      requests.set(request.correlationId, request);
      return this.#pass('request', request);
    });
    void this.#forward(broker, client, (frame) => {
      const correlationId = frame.readInt32BE(0);
      const request = requests.get(correlationId)!;
      requests.delete(correlationId);
      return this.#pass('response', request);
    });
  }

  /** Takes frames from one side to the other, each once `passes` says so. */
  async #forward(from: Socket, to: Socket, passes: (frame: Buffer) => Promise<boolean>): Promise<void> {
    let rest: Buffer = Buffer.alloc(0);
    try {
      for await (const bytes of from) {
        rest = Buffer.concat([rest, bytes as Buffer]);
        while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
          const end = 4 + rest.readInt32BE(0);
          const whole = rest.subarray(0, end);
          rest = rest.subarray(end);
          if ((await passes(whole.subarray(4))) && to.writable && !to.write(whole)) await untilWritable(to);
        }
      }
    } catch {
      // The connection broke, which is what this is for.
    }
    to.end();
  }

  #pass(on: TrapOptions['on'], request: KafkaRequest): Promise<boolean> {
    const trap = [...this.#traps].find((each) => each.on === on && isFor(each, request));
    if (trap === undefined || trap.left-- > 0) return Promise.resolve(true);
    this.#traps.delete(trap);
    return new Promise((resolve) => {
      trap.caught({ request, release: () => resolve(true), drop: () => resolve(false) });
    });
  }
}

function isFor({ api, client, where }: TrapOptions, request: KafkaRequest): boolean {
  return (
    request.apiKey === apiKeys[api] &&
    (client === undefined || client === request.clientId) &&
    (where === undefined || where(request))
  );
}

function parseRequest(frame: Buffer): KafkaRequest {
  const nameLength = Math.max(0, frame.readInt16BE(8));
  return {
    apiKey: frame.readInt16BE(0),
    correlationId: frame.readInt32BE(4),
    clientId: frame.toString('utf8', 10, 10 + nameLength),
    frame,
  };
}

async function untilWritable(socket: Socket): Promise<void> {
  await Promise.race([once(socket, 'drain'), once(socket, 'close')]);
}
