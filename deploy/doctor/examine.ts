import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import type { Compiled } from '../../src/config/options.js';
import { messageOf } from '../../src/errors.js';
import { connect, type connectionOptions } from '../../src/stream/client/connection.js';
import { ensureTopics } from '../../src/stream/topics/topics.js';
import { nativeTensorFlowFolder } from '../../src/tensorflow/native-location.js';
import type { Logger } from '../../src/telemetry/logger.js';
import { firstDifference, kafkaChecksums, kafkaJarsFolder } from '../embedded-broker/kafka-jars.js';
import { checkBackend } from '../native-tensorflow/check-backend.js';
import { thisMachine } from '../native-tensorflow/prerequisites.js';
import { findTools } from '../tools.js';
import type { Condition, Facts } from './facts.js';

/**
 * Looks at this machine. Changes nothing but that the cache folder is made.
 *
 * @param cluster how to reach the brokers that were configured; undefined if none were
 */
export async function examine(
  cacheFolder: string,
  cluster: Compiled<typeof connectionOptions> | undefined,
  logger: Logger,
): Promise<Facts> {
  const [tools, cache, native, wasm, kafkaJars, brokers] = await Promise.all([
    findTools(),
    examineCache(cacheFolder),
    examineNative(nativeTensorFlowFolder(cacheFolder)),
    conditionOf(() => checkBackend('wasm')),
    examineJars(kafkaJarsFolder(cacheFolder)),
    cluster === undefined ? undefined : examineBrokers(cluster, logger),
  ]);
  return {
    node: process.versions.node,
    machine: thisMachine(),
    tools,
    cache,
    native,
    wasm,
    kafkaJars,
    brokers,
  };
}

async function examineCache(folder: string): Promise<Facts['cache']> {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
    const { bavail, bsize } = await statfs(folder);
    return { folder, writable: true, freeBytes: bavail * bsize };
  } catch {
    return { folder, writable: false, freeBytes: 0 };
  }
}

async function examineNative(folder: string): Promise<Condition> {
  return existsSync(folder) ? conditionOf(() => checkBackend({ nativeFolder: folder })) : 'absent';
}

async function examineJars(folder: string): Promise<Condition> {
  if (!existsSync(folder)) return 'absent';
  const difference = await firstDifference(folder, kafkaChecksums());
  return difference === undefined ? 'works' : { broken: difference };
}

async function examineBrokers(
  cluster: Compiled<typeof connectionOptions>,
  logger: Logger,
): Promise<Facts['brokers']> {
  const condition = await conditionOf(() => ensureTopics(connect(cluster, logger), [], { create: false }));
  const problem = typeof condition === 'object' ? condition.broken : undefined;
  return { addresses: cluster.brokers, problem };
}

async function conditionOf(check: () => Promise<unknown>): Promise<Condition> {
  try {
    await check();
    return 'works';
  } catch (error) {
    return { broken: messageOf(error) };
  }
}
