import { randomUUID } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MillraceError } from '../../src/errors.js';
import { runCommand } from '../bootstrap/command.mjs';
import { Steps } from '../bootstrap/steps.mjs';
import { currentSystem, installCommand, type System } from '../install-hints.js';
import { finders, type Tool, type Tools } from '../tools.js';
import {
  containerDataFolder,
  dockerCommand,
  javaCommand,
  kafkaImage,
  type BrokerCommand,
  type ScramUser,
} from './broker-command.js';
import {
  brokerProperties,
  formatProperties,
  type BrokerLayout,
  type BrokerProperties,
} from './broker-properties.js';
import { kafkaJarsFolder, prepareKafkaJars } from './kafka-jars.js';

/** What one broker is started with. */
export interface BrokerSetting extends Pick<BrokerLayout, 'ports' | 'controllerPort'> {
  /** For server.properties, and for the data unless it is elsewhere. */
  readonly folder: string;
  /** The same folder when the data is to be kept. */
  readonly keptFolder: string | undefined;
  readonly overrides?: BrokerProperties;
  readonly users?: readonly ScramUser[];
}

/** What brokers run on. */
export interface BrokerEngine {
  /** Writes the configuration of a broker and says how it is started. */
  prepare(setting: BrokerSetting): BrokerCommand;
}

/** What of the machine decides which engine is taken. */
export type EngineTools = Pick<Tools, 'java' | 'maven' | 'docker'> & { readonly jarsInCache: boolean };

/** Java where it is there and Kafka is too, or can be fetched; else Docker; undefined if nothing can run a broker. */
export function chooseEngine(tools: EngineTools): 'java' | 'docker' | undefined {
  if (tools.java !== undefined && (tools.jarsInCache || tools.maven !== undefined)) return 'java';
  return tools.docker === undefined ? undefined : 'docker';
}

/** What is to be installed, as a command, where nothing can run a broker. */
export function engineRemedy(tools: EngineTools, system: System): string {
  return installCommand(
    (['java', 'maven'] as const).filter((name) => tools[name] === undefined),
    system,
  );
}

/** Finds what brokers can run on here, and fetches Kafka if need be. Throws MILLRACE_EMBEDDED_BROKER_FAILED. */
export async function prepareEngine(
  cacheFolder: string,
  stream: NodeJS.WritableStream & { isTTY?: boolean },
): Promise<BrokerEngine> {
  const jarsInCache = existsSync(kafkaJarsFolder(cacheFolder));
  const java = await finders.java();
  const maven = jarsInCache && java !== undefined ? undefined : await finders.maven();
  const docker =
    chooseEngine({ java, maven, docker: undefined, jarsInCache }) === undefined
      ? await finders.docker()
      : undefined;
  const tools = { java, maven, docker, jarsInCache };
  switch (chooseEngine(tools)) {
    case 'java':
      return javaEngine(java!, await prepareKafkaJars(cacheFolder, finders.maven, stream));
    case 'docker':
      await pullImage(docker!, stream);
      return dockerEngine(docker!);
    case undefined:
      throw new MillraceError(
        'MILLRACE_EMBEDDED_BROKER_FAILED',
        `A broker needs Java 17 and Maven, or Docker; set MILLRACE_BROKERS to use your own, or do this: ${engineRemedy(tools, currentSystem())}`,
      );
  }
}

function javaEngine(java: Tool, jarsFolder: string): BrokerEngine {
  return {
    prepare: ({ folder, ports, controllerPort, overrides, users }) => {
      const layout = { ports, controllerPort, bindHost: '127.0.0.1', dataFolder: join(folder, 'data') };
      return javaCommand(java.command, jarsFolder, writeProperties(folder, layout, overrides), users);
    },
  };
}

function dockerEngine(docker: Tool): BrokerEngine {
  return {
    prepare: ({ folder, keptFolder, ports, controllerPort, overrides, users }) => {
      const layout = { ports, controllerPort, bindHost: '0.0.0.0', dataFolder: containerDataFolder };
      return dockerCommand({
        docker: docker.command,
        name: `millrace-kafka-${randomUUID()}`,
        propertiesFile: writeProperties(folder, layout, overrides),
        ports: Object.values(ports),
        keptDataFolder: keptFolder,
        users,
      });
    },
  };
}

async function pullImage(docker: Tool, stream: NodeJS.WritableStream & { isTTY?: boolean }): Promise<void> {
  const present = await runCommand(docker.command, ['image', 'inspect', kafkaImage]).then(
    () => true,
    () => false,
  );
  if (present) return;
  await new Steps(stream, 1).run(`pulling ${kafkaImage}`, () =>
    runCommand(docker.command, ['pull', '--quiet', kafkaImage]),
  );
}

function writeProperties(folder: string, layout: BrokerLayout, overrides?: BrokerProperties): string {
  const path = join(folder, 'server.properties');
  writeFileSync(path, formatProperties(brokerProperties(layout, overrides)));
  return path;
}
