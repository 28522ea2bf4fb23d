import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { javaCommand } from '../../deploy/embedded-broker/broker-command.js';
import { formatProperties } from '../../deploy/embedded-broker/broker-properties.js';
import { GuardedProcess } from '../../deploy/embedded-broker/guarded-process.js';
import { prepareKafkaJars } from '../../deploy/embedded-broker/kafka-jars.js';
import { finders } from '../../deploy/tools.js';

const nodeId = 100;
const fencing = /Fencing broker \d+ .* because its session has/g;
const patienceMs = 60_000;

/**
 * A controller of Kafka in a process of its own, which outlives the broker that it looks after, as in production.
 *
 * A node that is both takes itself, when it comes back from a crash, for the leader that it was, then for none, and then
 * for the leader again. The group coordinator of Kafka 4.0 to 4.3.1 begins to load its state at the first of these; when
 * that takes until the last of them, the end of that load counts as the end of the next one, and the coordinator works
 * without the state: positions of groups are older than what was committed, or none.
 */
export class KafkaController {
  /** What a broker is told of it. */
  readonly properties: Readonly<Record<string, string>>;
  readonly #process: GuardedProcess;
  readonly #logFile: string;

  private constructor(port: number, process: GuardedProcess, logFile: string) {
    this.properties = {
      'process.roles': 'broker',
      'controller.quorum.voters': `${nodeId}@127.0.0.1:${port}`,
    };
    this.#process = process;
    this.#logFile = logFile;
  }

  /** Starts it; a broker waits for it to be ready. */
  static async start(cacheFolder: string, folder: string, port: number): Promise<KafkaController> {
    const java = await finders.java();
    if (java === undefined) throw new Error('A controller of Kafka needs Java.');
    const jarsFolder = await prepareKafkaJars(cacheFolder, finders.maven, process.stderr);
    mkdirSync(folder, { recursive: true });
    const propertiesFile = join(folder, 'controller.properties');
    writeFileSync(
      propertiesFile,
      formatProperties({
        'process.roles': 'controller',
        'node.id': nodeId,
        'controller.quorum.voters': `${nodeId}@127.0.0.1:${port}`,
        'controller.listener.names': 'CONTROLLER',
        listeners: `CONTROLLER://127.0.0.1:${port}`,
        'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT',
        'log.dirs': join(folder, 'data'),
        // It soon takes a broker that crashed for gone, and lets it come back.
        'broker.session.timeout.ms': 2_000,
      }),
    );
    // Not with the logs of brokers, of which only the last few are kept.
    const logFile = join(folder, 'controller.log');
    writeFileSync(logFile, '');
    const command = javaCommand(java.command, jarsFolder, propertiesFile);
    return new KafkaController(port, new GuardedProcess(command, 0, logFile), logFile);
  }

  /** How often a broker was taken for gone until now. */
  get numFenced(): number {
    return readFileSync(this.#logFile, 'utf8').match(fencing)?.length ?? 0;
  }

  /** Resolves when it has taken a broker for gone so often. */
  async untilFenced(count: number): Promise<void> {
    const deadline = performance.now() + patienceMs;
    while (this.numFenced < count) {
      if (performance.now() > deadline)
        throw new Error(`the controller did not miss the broker, see ${this.#logFile}`);
      await delay(50);
    }
  }

  stop(): Promise<void> {
    return this.#process.kill();
  }
}
