import { existsSync } from 'node:fs';
import { cacheFolder } from '../../src/config/cache-folder.js';
import { readEnvironment } from '../../src/config/environment.js';
import { createLogger } from '../../src/telemetry/logger.js';
import { startCompute, type Compute } from '../../src/tensorflow/compute.js';
import type { Backend } from '../../src/tensorflow/compute-protocol.js';
import { nativeTensorFlowFolder } from '../../src/tensorflow/native-location.js';

/** A compute thread for tests; native TensorFlow can be had once in a test file. */
export function startTestCompute(backend: Backend): Promise<Compute> {
  const logger = createLogger({ name: 'test', level: 'silent' });
  return startCompute({ backend, cache: testCache(), logger });
}

/** For `{ skip: missingNative() }`: the line that says why, or false. Where `CI` is set nothing may be skipped. */
export function missingNative(): string | false {
  if (existsSync(nativeTensorFlowFolder(testCache()))) return false;
  if (readEnvironment()['CI'] !== undefined) throw new Error('Native TensorFlow is missing in CI.');
  return 'native TensorFlow is not set up (millrace setup)';
}

export function testCache(): string {
  return cacheFolder(readEnvironment()['MILLRACE_CACHE']);
}
