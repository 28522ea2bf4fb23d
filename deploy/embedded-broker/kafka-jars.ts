import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../../src/config/package-root.js';
import { MillraceError } from '../../src/errors.js';
import { runCommand } from '../bootstrap/command.mjs';
import { withLock } from '../bootstrap/lock.mjs';
import { Steps } from '../bootstrap/steps.mjs';
import { sha256OfFile } from '../checksum.js';
import type { Tool } from '../tools.js';

/** The version of Apache Kafka in pom.xml. */
export const kafkaVersion = '4.1.1';
const assets = join(packageRoot, 'deploy', 'embedded-broker');

/** The folder of the cache that holds Kafka's jars, complete and checked when it exists. */
export function kafkaJarsFolder(cacheFolder: string): string {
  return join(cacheFolder, `kafka-${kafkaVersion}`);
}

/**
 * Makes sure that every jar of Kafka is in the cache, exactly as SHA256SUMS says, and returns their folder. They are
 * fetched by Maven when they are not there or no longer what they were.
 *
 * @param findMaven asked only when something has to be fetched
 */
export async function prepareKafkaJars(
  cacheFolder: string,
  findMaven: () => Promise<Tool | undefined>,
  stream: NodeJS.WritableStream & { isTTY?: boolean },
): Promise<string> {
  const folder = kafkaJarsFolder(cacheFolder);
  const checksums = kafkaChecksums();
  if ((await firstDifference(folder, checksums)) === undefined) return folder;
  const maven = await findMaven();
  if (maven === undefined) {
    throw failed(`Kafka has to be fetched into ${folder} first, and that needs Apache Maven.`);
  }
  const steps = new Steps(stream, 1);
  const fetch = async () => {
    if ((await firstDifference(folder, checksums)) === undefined) return;
    await steps.run(`fetching Apache Kafka ${kafkaVersion}`, () => fetchAside(folder, checksums, maven));
  };
  await withLock(`${folder}.lock`, fetch, {
    onWait: () => steps.say('waiting for another set-up of Kafka …'),
  });
  return folder;
}

async function fetchAside(
  folder: string,
  checksums: ReadonlyMap<string, string>,
  maven: Tool,
): Promise<void> {
  const partial = `${folder}.partial`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  await runCommand(maven.command, [
    ...['--batch-mode', '--quiet', '-Dstyle.color=never', '--file', join(assets, 'pom.xml')],
    ...['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${partial}`],
  ]);
  const difference = await firstDifference(partial, checksums);
  if (difference !== undefined) throw failed(`What Maven fetched is not what was expected: ${difference}.`);
  await rm(folder, { recursive: true, force: true });
  await rename(partial, folder);
}

/** The checksum of every jar by its name. */
export function kafkaChecksums(): Map<string, string> {
  return parseChecksums(readFileSync(join(assets, 'SHA256SUMS'), 'utf8'));
}

/** What first differs between a folder and the checksums that its files must have; undefined if nothing does. */
export async function firstDifference(
  folder: string,
  checksums: ReadonlyMap<string, string>,
): Promise<string | undefined> {
  if (!existsSync(folder)) return `there is no folder ${folder}`;
  const extra = readdirSync(folder).find((name) => !checksums.has(name));
  if (extra !== undefined) return `${extra} should not be there`;
  for (const [name, expected] of checksums) {
    const path = join(folder, name);
    if (!existsSync(path)) return `${name} is missing`;
    if ((await sha256OfFile(path)) !== expected) return `${name} is damaged`;
  }
  return undefined;
}

/** Checksums by file name, from the lines that `sha256sum` writes. */
export function parseChecksums(text: string): Map<string, string> {
  return new Map([...text.matchAll(/^([0-9a-f]{64}) [ *](.+)$/gm)].map(([, sum, name]) => [name, sum]));
}

function failed(message: string): MillraceError {
  return new MillraceError('MILLRACE_EMBEDDED_BROKER_FAILED', message);
}
