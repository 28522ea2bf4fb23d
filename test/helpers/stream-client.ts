import { connect, type StreamClient } from '../../src/stream/client/connection.js';
import { createLogger } from '../../src/telemetry/logger.js';
import { testBrokers } from './broker.js';

/** A client of the brokers of this test run. */
export function testClient(): StreamClient {
  const nothing = {
    tlsCa: undefined,
    tlsCert: undefined,
    tlsKey: undefined,
    saslMechanism: undefined,
    saslUsername: undefined,
    saslPassword: undefined,
  };
  return connect(
    { brokers: testBrokers(), clientId: 'millrace-test', tls: false, ...nothing },
    createLogger({ name: 'test', level: 'silent' }),
  );
}
