import { randomUUID } from 'node:crypto';
import { readEnvironment } from '../../src/config/environment.js';

/** The brokers of this test run, as `npm test` started them or MILLRACE_TEST_BROKERS names them. */
export function testBrokers(): string[] {
  const brokers = readEnvironment()['MILLRACE_TEST_BROKERS'];
  if (brokers === undefined) {
    throw new Error('This test needs a broker: run it by "npm test -- FILE", or set MILLRACE_TEST_BROKERS.');
  }
  return brokers.split(',');
}

/** A name of a topic or group that no other test has, such as `serve-3f6c2a41`. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${randomUUID().slice(0, 8)}`;
}
