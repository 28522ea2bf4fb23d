import { connect, type StreamClient } from '../../src/stream/client/connection.js';
import { createLogger } from '../../src/telemetry/logger.js';
import { testBrokers } from './broker.js';

/** A client of the brokers of this test run. */
export function testClient(): StreamClient {
  return connect(
    { brokers: testBrokers(), clientId: 'millrace-test' },
    createLogger({ name: 'test', level: 'silent' }),
  );
}
