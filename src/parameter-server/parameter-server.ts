import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { MillraceError, messageOf } from '../errors.js';
import type { Algorithm, AlgorithmSettings } from './algorithms/algorithm.js';
import { CenterVariable, type CenterState } from './center-variable.js';
import { CheckpointFolder } from './checkpoint-folder.js';
import { CheckpointKeeper } from './checkpoint-keeper.js';
import { WorkerSession, type SessionListener } from './worker-session.js';

export interface ParameterServerOptions {
  readonly algorithm: Algorithm;
  readonly settings: AlgorithmSettings;
  /** Commits that are longer (2-norm) are refused. */
  readonly maxResidualNorm?: number | undefined;
  /** What the center variable begins with when there is no checkpoint. */
  readonly initial: () => Promise<CenterState>;
  /** Of the model; a checkpoint of another one is not gone on with. */
  readonly modelFacts: Readonly<Record<string, unknown>>;
  readonly checkpointFolder: string;
  readonly keepCheckpoints: number;
  readonly checkpointEveryCommits: number;
  readonly checkpointEveryMs: number;
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** What workers must say; without it, only this machine is listened to. */
  readonly token?: string | undefined;
  /** Certificate and key; without them, frames travel as they are. */
  readonly tls?: Pick<TlsOptions, 'cert' | 'key' | 'minVersion'> | undefined;
  readonly maxConnections: number;
  readonly idleTimeoutMs: number;
  readonly listener: ParameterServerListener;
}

export interface ParameterServerListener extends SessionListener {
  checkpointWritten(clock: number, seconds: number): void;
  /** Why nothing can be kept, so that nothing can be changed; undefined: it can again. */
  checkpointTrouble(reason: string | undefined): void;
  /** A damaged checkpoint was put aside, and the one before it is used. */
  checkpointDamaged(file: string, reason: string): void;
}

const loopback = new Set(['127.0.0.1', '::1', 'localhost']);

/**
 * A center variable that workers reach over TCP, and that survives this process: after a crash it comes back at its last
 * checkpoint, and the workers learn what came after it again.
 */
export class ParameterServer {
  readonly center: CenterVariable;
  readonly #keeper: CheckpointKeeper;
  readonly #server: Server;
  readonly #sessions = new Set<WorkerSession>();

  private constructor(center: CenterVariable, keeper: CheckpointKeeper, options: ParameterServerOptions) {
    this.center = center;
    this.#keeper = keeper;
    const { tls, listener } = options;
    const parts = {
      ...options,
      center,
      readOnly: () => keeper.trouble,
      begun: (isNew: boolean) => (isNew || keeper.isDirty ? keeper.keep() : Promise.resolve()),
      listener: {
        ...listener,
        committed: (worker, answer) => {
          if (answer.outcome === 'applied') keeper.committed();
          listener.committed(worker, answer);
        },
      } satisfies SessionListener,
    };
    const onSocket = (socket: Socket) => {
      socket.setNoDelay(true);
      socket.setKeepAlive(true, options.idleTimeoutMs);
      const session = new WorkerSession(socket, parts);
      this.#sessions.add(session);
      socket.once('close', () => this.#sessions.delete(session));
    };
    this.#server = tls === undefined ? createServer(onSocket) : createTlsServer(tls, onSocket);
    this.#server.maxConnections = options.maxConnections;
  }

  /**
   * Goes on at the newest checkpoint, or begins, and listens.
   *
   * Throws MILLRACE_CONFIG_INVALID when the checkpoint is of another model or rule, or the address is not to be listened
   * at; MILLRACE_FILE_UNUSABLE when no checkpoint can be written.
   */
  static async open(options: ParameterServerOptions): Promise<ParameterServer> {
    const { host, token, listener, algorithm, settings, modelFacts } = options;
    if (token === undefined && !loopback.has(host)) {
      throw new MillraceError(
        'MILLRACE_CONFIG_INVALID',
        `A parameter server at ${host} can be reached from other machines: give it a token, or listen at 127.0.0.1.`,
      );
    }
    const folder = await CheckpointFolder.open({
      folder: options.checkpointFolder,
      keep: options.keepCheckpoints,
      settings: { algorithm: algorithm.name, settings, ...modelFacts },
      onDamaged: (file, reason) => listener.checkpointDamaged(file, reason),
    });
    const center = new CenterVariable((await folder.newest()) ?? (await options.initial()), options);
    const keeper = new CheckpointKeeper({
      ...{ center, folder },
      everyCommits: options.checkpointEveryCommits,
      everyMs: options.checkpointEveryMs,
      onWritten: (clock, seconds) => listener.checkpointWritten(clock, seconds),
      onTrouble: (reason) => listener.checkpointTrouble(reason),
    });
    // What cannot be kept is known before anybody has learnt anything.
    await keeper.keep();
    const server = new ParameterServer(center, keeper, options);
    await server.#listen(options);
    return server;
  }

  /** Where it listens. */
  get address(): { readonly host: string; readonly port: number } {
    const { address, port } = this.#server.address() as AddressInfo;
    return { host: address, port };
  }

  /** Ends all connections, and keeps what was learnt. Throws MILLRACE_FILE_UNUSABLE. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const session of this.#sessions) session.end();
    await closed;
    await this.#keeper.close();
  }

  #listen({ host, port }: ParameterServerOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.on('error', (cause) => {
        reject(
          new MillraceError(
            'MILLRACE_CONFIG_INVALID',
            `A parameter server cannot listen at ${host}:${port}: ${messageOf(cause)}.`,
            { cause },
          ),
        );
      });
      this.#server.listen(port, host, resolve);
    });
  }
}
