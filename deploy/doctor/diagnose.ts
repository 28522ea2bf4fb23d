import { engineRemedy, chooseEngine } from '../embedded-broker/broker-engine.js';
import { missingForBuild, unsupported } from '../native-tensorflow/prerequisites.js';
import type { Tool } from '../tools.js';
import type { Facts } from './facts.js';

/**
 * `absent`: not there, and that by itself is no harm. `warning`: Millrace works, but less well. `missing`: something it
 * needs to work is not there.
 */
export type Status = 'ok' | 'absent' | 'warning' | 'missing';

/** One line of the report. */
export interface Finding {
  readonly name: string;
  readonly status: Status;
  /** What was found. */
  readonly found: string;
  /** The command, or the deed, that mends it. */
  readonly remedy?: string;
}

/** What the facts mean, what works first and then what it is made of. */
export function diagnose(facts: Facts): readonly Finding[] {
  return [
    ok('Node.js', facts.node),
    cache(facts),
    native(facts),
    wasm(facts),
    embeddedBroker(facts),
    ...brokers(facts),
    ...tools(facts),
  ];
}

/** Whether anything is missing. */
export function isHealthy(findings: readonly Finding[]): boolean {
  return findings.every(({ status }) => status !== 'missing');
}

function ok(name: string, found: string): Finding {
  return { name, status: 'ok', found };
}

function cache({ cache: { folder, writable, freeBytes } }: Facts): Finding {
  const found = `${folder}, ${(freeBytes / 1e9).toFixed(1)} GB free`;
  if (writable) return ok('Cache', found);
  return {
    name: 'Cache',
    status: 'warning',
    found: `${folder} cannot be written`,
    remedy: `export MILLRACE_CACHE=/another/folder, or chown -R "$(id -un)" ${folder}`,
  };
}

function native({
  native: condition,
  machine,
  tools: { python, compiler, npm },
  cache: { folder },
}: Facts): Finding {
  const name = 'Native TensorFlow';
  if (condition === 'works') return ok(name, 'works');
  const reason = unsupported(machine);
  if (reason !== undefined) {
    return { name, status: 'warning', found: `not available: ${reason}; WebAssembly computes, slower` };
  }
  const setUp = 'millrace setup';
  if (condition !== 'absent') {
    const remedy = `rm -rf ${folder}/tensorflow-* && ${setUp}`;
    return { name, status: 'warning', found: `does not work: ${condition.broken}`, remedy };
  }
  const needed = missingForBuild({ python, compiler, npm }, machine.system);
  return {
    name,
    status: 'warning',
    found: 'not set up; WebAssembly computes, slower',
    remedy: needed === undefined ? setUp : `${needed} && ${setUp}`,
  };
}

function wasm({ wasm: condition }: Facts): Finding {
  const name = 'WebAssembly TensorFlow';
  if (condition === 'works') return ok(name, 'works');
  const found = condition === 'absent' ? 'not installed' : `does not work: ${condition.broken}`;
  return { name, status: 'missing', found, remedy: 'npm install' };
}

function embeddedBroker(facts: Facts): Finding {
  const name = 'Embedded broker';
  const {
    tools: found,
    kafkaJars,
    machine,
    cache: { folder },
  } = facts;
  const engineTools = { ...found, jarsInCache: kafkaJars !== 'absent' };
  switch (chooseEngine(engineTools)) {
    case 'java':
      if (kafkaJars === 'works') return ok(name, 'ready, as a Java process');
      if (kafkaJars === 'absent') {
        return { ...ok(name, 'fetched when it is first used'), remedy: 'millrace setup --broker' };
      }
      return {
        name,
        status: 'warning',
        found: `damaged: ${kafkaJars.broken}`,
        remedy: `rm -rf ${folder}/kafka-* && millrace setup --broker`,
      };
    case 'docker':
      return ok(name, 'runs in Docker');
    case undefined:
      return {
        name,
        // A cluster of one's own does as well.
        status: facts.brokers === undefined ? 'missing' : 'warning',
        found: 'cannot run here: it needs Java 17 and Maven, or Docker',
        remedy: engineRemedy(engineTools, machine.system),
      };
  }
}

function brokers({ brokers: configured }: Facts): readonly Finding[] {
  if (configured === undefined) return [];
  const name = 'Your brokers';
  const { addresses, problem } = configured;
  if (problem === undefined) return [ok(name, `${addresses.join(', ')} answer`)];
  return [{ name, status: 'missing', found: problem, remedy: 'set MILLRACE_BROKERS, or start the broker' }];
}

/** The tools themselves. Where one that is absent is still needed, the thing it is for says so. */
function tools({ tools: found }: Facts): readonly Finding[] {
  const line = (name: string, tool: Tool | undefined, use: string): Finding =>
    tool === undefined
      ? { name, status: 'absent', found: `not found (${use})` }
      : ok(name, `${tool.version} (${tool.command})`);
  return [
    line('npm', found.npm, 'sets native TensorFlow up'),
    line('Python with pip', found.python, 'sets native TensorFlow up'),
    line('C++ compiler', found.compiler, 'sets native TensorFlow up'),
    line('Java', found.java, '17 or newer runs the embedded broker'),
    line('Maven', found.maven, 'fetches the embedded broker'),
    line('Docker', found.docker, 'runs the embedded broker where Java is not there'),
  ];
}
