import { duplexPair, type Duplex } from 'node:stream';
import { chooseAlgorithm } from '../../src/parameter-server/algorithms/algorithms.js';
import { CenterVariable, type CommitAnswer } from '../../src/parameter-server/center-variable.js';
import type { Refusal } from '../../src/parameter-server/message.js';
import {
  ParameterServerClient,
  type ParameterServerClientOptions,
} from '../../src/parameter-server/parameter-server-client.js';
import { WorkerSession, type SessionParts } from '../../src/parameter-server/worker-session.js';

/** A parameter server that workers reach in this process: bytes go through streams, and no network. */
export class Wire {
  readonly center: CenterVariable;
  readonly parts: SessionParts;
  readonly sessions: WorkerSession[] = [];
  /** The workers' ends, in the order they connected. */
  readonly streams: Duplex[] = [];
  readonly joined: string[] = [];
  readonly left: string[] = [];
  readonly commits: CommitAnswer[] = [];
  readonly refusals: Refusal[] = [];
  /** When set, nobody is connected, and this is why. */
  away: string | undefined;
  readOnly: string | undefined;
  /** Called when partitions were taken up. */
  begun: (isNew: boolean) => Promise<void> = () => Promise.resolve();
  /** Called when a commit was judged, and before its answer is sent. */
  judged: () => void = () => {};

  constructor(
    parts: Partial<SessionParts> & { readonly algorithmName?: string; readonly numWeights?: number } = {},
  ) {
    const { algorithmName = 'downpour', numWeights = 2, ...rest } = parts;
    const chosen = chooseAlgorithm(algorithmName);
    this.center = new CenterVariable(
      {
        weights: new Float32Array(numWeights).fill(1),
        clock: 0,
        positions: [{ topic: 'rows', partition: 0, position: 0n }],
      },
      chosen,
    );
    this.parts = {
      ...chosen,
      center: this.center,
      readOnly: () => this.readOnly,
      begun: (isNew) => this.begun(isNew),
      idleTimeoutMs: 60_000,
      listener: {
        joined: (worker) => this.joined.push(worker),
        pulled: () => {},
        committed: (_, answer) => {
          this.commits.push(answer);
          this.judged();
        },
        left: (worker) => this.left.push(worker),
        refused: (refusal) => this.refusals.push(refusal),
      },
      ...rest,
    };
  }

  connect(): Promise<Duplex> {
    if (this.away !== undefined) return Promise.reject(new Error(this.away));
    const [near, far] = duplexPair();
    this.sessions.push(new WorkerSession(far, this.parts));
    this.streams.push(near);
    return Promise.resolve(near);
  }

  client(options: Partial<ParameterServerClientOptions> = {}): Promise<ParameterServerClient> {
    return ParameterServerClient.open({
      worker: 'a',
      connect: () => this.connect(),
      answerTimeoutMs: 60_000,
      maxOutageMs: 60_000,
      onTrouble: () => {},
      ...options,
    });
  }
}
